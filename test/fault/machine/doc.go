// Package machine injects faults that need a machine of their own: another time of day, a disk that loses what was not flushed, systemd. A test here
// has two halves in one function: called on the host it starts a virtual machine which runs the same test again, with the same harness, as root and
// alone; see Machine.
//
// The machine is a user-mode Linux (Debian package user-mode-linux): a real kernel that is a plain process of the host, without privileges, up in two
// seconds, and with a wall clock, file systems and device mapper of its own. It sees the host's files, read only, and one directory of the test to write
// to; or it has a small Debian on a disk, which is built once and kept in $EDGED_MACHINE_CACHE, or in edged-test in the user's cache directory.
//
// Power cuts are made with the kernel's dm-log-writes and not by killing the machine, which would lose the page cache only and leave the order of
// writes alone, nor with dm-flakey, which gives one moment a run and has every write that was issued before it: of one log many disks are made, each with
// some of what was not flushed.
package machine
