// Package machine injects faults that need a machine of their own: another time of day, a disk that loses what was not flushed, systemd. A test here
// has two halves in one function: called on the host it starts a virtual machine which runs the same test again, with the same harness, as root and
// alone; see Machine.
//
// The machine is a user-mode Linux (Debian package user-mode-linux): a real kernel that is a plain process of the host, without privileges, up in two
// seconds, and with a wall clock, file systems and device mapper of its own.
package machine
