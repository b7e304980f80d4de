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
		if l, err := net.Listen("tcp", address(n)); err == nil {
			l.Close()
			claims.held = append(claims.held, claim)
			return n
		}
		claim.Close()
	}
	t.Fatal("no port of 127.0.0.1 is free")
	return 0
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
