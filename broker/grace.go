package broker

import (
	"syscall"
	"time"
)

// grace is the longest time that a connection which is to be taken over gets to read what its client has sent on it. A client
// that says goodbye and comes back at once overtakes its own DISCONNECT, because two goroutines read the two connections.
// Without the grace its will would be published, its last publishes lost, and its session kept against its wish.
const grace = 200 * time.Millisecond

// await waits until the connection that has a session has left it by itself, or has nothing left to read. It blocks only the
// goroutine that reads c, whose CONNECT is not answered yet.
func (ss *sessions) await(id string, c *conn) {
	ss.mu.Lock()
	var old *conn
	if s := ss.byID[id]; s != nil {
		old = s.conn
	}
	ss.mu.Unlock()
	if old == nil || old.in.nothingLeft() {
		return
	}
	end := time.NewTimer(grace)
	defer end.Stop()
	again := time.NewTicker(grace / 100)
	defer again.Stop()
	for {
		select {
		case <-old.left:
			return
		case <-c.done:
			return
		case <-end.C:
			return
		case <-again.C:
			if old.in.nothingLeft() {
				return
			}
		}
	}
}

// nothingLeft reports whether everything that has come on a connection, its end included, was handled. It is false if that
// cannot be seen, because TLS or WebSocket is in between. It can be called from any goroutine.
func (in *inbox) nothingLeft() bool {
	if in.raw == nil || !in.idle.Load() {
		return false
	}
	err := syscall.EBADF
	_ = in.raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, e := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		err, _ = e.(syscall.Errno)
	})
	return err == syscall.EAGAIN
}
