package netns

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"edged/test/need"

	"golang.org/x/sys/unix"
)

// Net is a namespace, and the address at which this machine reaches it. It ends with the test.
type Net struct {
	t    testing.TB
	name string
	Addr string // of the namespace; what listens there is reached from outside
	ip   string // the program
	nft  string
}

var made atomic.Uint32

// New makes a namespace. Addresses are of 198.18.0.0/15, which is for benchmarks and nobody's (RFC 2544).
func New(t testing.TB) *Net {
	t.Helper()
	if os.Geteuid() != 0 {
		need.Missing(t, "a network namespace needs root")
	}
	n := &Net{t: t, ip: need.Tool(t, "ip"), nft: need.Tool(t, "nft")}
	id := uint32(os.Getpid())*8 + made.Add(1)
	n.name = fmt.Sprintf("edt%x", id&0xffffff)
	host := fmt.Sprintf("198.18.%d.%d", id>>6&0xff, id<<2&0xfc|1)
	n.Addr = fmt.Sprintf("198.18.%d.%d", id>>6&0xff, id<<2&0xfc|2)
	n.run(n.ip, "netns", "add", n.name)
	t.Cleanup(func() { _ = exec.Command(n.ip, "netns", "del", n.name).Run() })
	n.run(n.ip, "link", "add", n.name, "type", "veth", "peer", "name", "inside", "netns", n.name)
	t.Cleanup(func() { _ = exec.Command(n.ip, "link", "del", n.name).Run() }) // the namespace lives on for as long as a socket of it
	n.run(n.ip, "addr", "add", host+"/30", "dev", n.name)
	n.run(n.ip, "link", "set", n.name, "up")
	n.inside(n.ip, "addr", "add", n.Addr+"/30", "dev", "inside")
	n.inside(n.ip, "link", "set", "inside", "up")
	n.inside(n.ip, "link", "set", "lo", "up")
	return n
}

func (n *Net) run(args ...string) {
	n.t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		n.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (n *Net) inside(args ...string) {
	n.t.Helper()
	n.run(append([]string{n.ip, "netns", "exec", n.name}, args...)...)
}

// Cut drops every packet of the link, in both directions, within the namespace.
func (n *Net) Cut() {
	n.t.Helper()
	n.inside(n.nft, "add table inet cut; add chain inet cut in { type filter hook input priority 0; policy drop; }; "+
		"add chain inet cut out { type filter hook output priority 0; policy drop; }")
}

// Mend lets packets pass again.
func (n *Net) Mend() {
	n.t.Helper()
	n.inside(n.nft, "delete table inet cut")
}

// Listen listens within the namespace, at a free port of Addr. A socket belongs to the namespace of the thread that makes it; what this process accepts
// there can be served anywhere.
func (n *Net) Listen() net.Listener {
	n.t.Helper()
	type result struct {
		l   net.Listener
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine, and nobody else gets one in the wrong namespace
		l, err := func() (net.Listener, error) {
			ns, err := os.Open("/run/netns/" + n.name)
			if err != nil {
				return nil, err
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return nil, err
			}
			return net.Listen("tcp", n.Addr+":0")
		}()
		done <- result{l, err}
	}()
	r := <-done
	if r.err != nil {
		n.t.Fatalf("listening in the namespace %s: %v", n.name, r.err)
	}
	n.t.Cleanup(func() { _ = r.l.Close() })
	return r.l
}
