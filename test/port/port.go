// Package port gives ports of loopback to tests that tell somebody a port before anyone listens on it.
//
// Listening on port 0 and closing again is not enough: until the port is used the kernel may give it to anyone else who asks for any port, an outgoing
// connection as well, in this process or in a test that runs beside it. So ports come from below the range that the kernel gives from (32768 on Linux), and
// each is claimed for as long as the process lives, by its UDP port of the same number: nobody here uses UDP.
package port

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
)

const lowest, many = 12000, 18000

var claims struct {
	sync.Mutex
	held []net.PacketConn
}

// Free returns a port of 127.0.0.1 that nobody listens on and that no other test gets.
func Free(t testing.TB) int {
	t.Helper()
	claims.Lock()
	defer claims.Unlock()
	for range 10 * many {
		n := lowest + rand.IntN(many)
		claim, err := net.ListenPacket("udp", address(n))
		if err != nil {
			continue // another test has it
		}
		if isFree(n) {
			claims.held = append(claims.held, claim)
			return n
		}
		claim.Close()
	}
	t.Fatal("no port of 127.0.0.1 is free")
	return 0
}

// isFree asks for the port without listening on it. A listener would keep it beyond its end, if a child is forked meanwhile: until its exec that holds every socket.
// Who only asks stands in nobody's way who has SO_REUSEADDR, as servers have.
func isFree(port int) bool {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	syscall.CloseOnExec(fd)
	return syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) == nil &&
		syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}) == nil
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
