package transport

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// unsent is what the kernel holds that the peer has not taken (SIOCOUTQ, tcp(7), unix(7)).
func unsent(t *testing.T, raw syscall.RawConn) (n int) {
	t.Helper()
	var err error
	if cerr := raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.TIOCOUTQ) }); cerr != nil {
		t.Fatal(cerr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}
