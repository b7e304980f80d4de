package netns

import (
	"net"
	"testing"
	"time"

	"edged/test/await"
)

// A cut link takes nothing, and says nothing; a mended one brings what was sent meanwhile.
func TestCut(t *testing.T) {
	n := New(t)
	l := n.Listen()
	got := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		for {
			b := make([]byte, 10)
			k, err := c.Read(b)
			if err != nil {
				return
			}
			got <- string(b[:k])
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("one"))
	if s := <-got; s != "one" {
		t.Fatal(s)
	}
	n.Cut()
	if _, err := c.Write([]byte("two")); err != nil {
		t.Fatal("a cut link says: ", err)
	}
	if _, err := net.DialTimeout("tcp", l.Addr().String(), 300*time.Millisecond); err == nil {
		t.Fatal("a connection through a cut link")
	}
	if len(got) > 0 {
		t.Fatal("packets through a cut link")
	}
	n.Mend()
	await.Soon(t, "what was sent arrives", func() bool { return len(got) == 1 })
}
