package harness

import "testing"

// Attach is a gateway that somebody else runs, such as systemd: it can be asked, and its files read. Start and what ends it are not for it.
func Attach(t testing.TB, dir, file string, broker, http int) *Edged {
	return &Edged{t: t, Dir: dir, File: file, Broker: broker, HTTP: http}
}
