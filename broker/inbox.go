package broker

import (
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"edged/broker/wire"
)

// Buffers of reading. A connection of which nothing is under way holds none, if its bytes come straight from a socket; the
// others hold a small one, because whoever decrypts or unmasks them has to put them somewhere.
const (
	readBuffer  = 64 << 10
	smallBuffer = 4 << 10
)

// mostBuffers bounds the large buffers that are in use: those whose reading waits for something keep theirs.
const mostBuffers = 64

var (
	readBuffers = sync.Pool{New: func() any { return new([readBuffer]byte) }}
	buffersUsed atomic.Int32
)

// inbox cuts what a client sends into packets. It is the reading goroutine's.
//
// A packet that has come in part is kept in memory of its own size: whoever sends a byte at a time holds no more than what it
// has sent, and all such packets together are bounded (partials).
type inbox struct {
	c      *conn
	raw    syscall.RawConn       // nil: read through the connection
	ready  func(fd uintptr) bool // readSocket, for raw
	wanted int                   // of a packet, for readSocket
	n      int                   // bytes that it has read,
	err    error                 // and why not
	buf    []byte                // r:w is what has come and was not handed out
	r, w   int
	pooled *[readBuffer]byte // buf is this
	own    []byte            // kept for the next packet that comes in part
	idle   atomic.Bool       // nothing has come that was not handled, when it was last looked
	part   *partial          // the packet that has come in part is counted
	tempo  tempo
}

// next returns the next packet, good until the one after it. It blocks until the packet is there or the connection ends.
func (in *inbox) next(max int) (wire.Frame, error) {
	for {
		f, size, err := wire.Next(in.buf[in.r:in.w], max)
		if err != nil {
			return f, err
		}
		if size > 0 && size <= in.w-in.r {
			in.r += size
			in.settled()
			in.tempo.packet(f.Type() == wire.PUBLISH)
			return f, nil
		}
		if err := in.fill(size); err != nil {
			return f, err
		}
	}
}

// fill reads more of a packet of which size bytes are wanted in all; 0 if its length is not known yet.
func (in *inbox) fill(size int) error {
	in.c.takeGathered()       // its payloads are in the buffer
	in.c.passing.circle = nil // it may be of subscribers that are gone before the next publish comes
	in.c.heard()              // while the last packets were handled nothing was read: the client may have been talking
	if in.r == in.w {
		in.r, in.w = 0, 0
		if in.pooled == nil && len(in.buf) > smallBuffer {
			in.buf = nil // of a large packet, which is done with
		}
	}
	if have := in.w - in.r; size > smallBuffer && have > smallBuffer && in.part == nil {
		in.part = in.c.b.partials.begin(in.c, have)
	}
	if in.raw == nil {
		in.makeRoom(size)
		return in.took(in.c.net.Read(in.buf[in.w:]))
	}
	if in.tempo.goes && in.r == in.w {
		in.giveBack() // who waits holds no buffer
		in.c.b.pause(&in.tempo)
	}
	in.wanted, in.n, in.err = size, 0, nil
	err := in.raw.Read(in.ready)
	n := in.n
	if err == nil {
		err = in.err
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	in.tempo.read(time.Now(), n)
	return in.took(max(0, n), err)
}

// readSocket reads what a socket has; false if it has nothing. It is called through ready, so that reading allocates nothing.
func (in *inbox) readSocket(fd uintptr) bool {
	in.borrow(in.wanted)
	for {
		in.n, in.err = syscall.Read(int(fd), in.buf[in.w:])
		if in.err != syscall.EINTR {
			break
		}
	}
	if in.err == syscall.EAGAIN {
		in.giveBack()
		in.idle.Store(in.r == in.w)
		return false
	}
	in.idle.Store(false)
	return true
}

// took counts what was read.
func (in *inbox) took(n int, err error) error {
	in.w += n
	if n > 0 {
		in.c.b.met.bytesIn.Add(n)
		in.c.heard()
		if in.part != nil {
			in.part.grow(in.w - in.r)
		}
	}
	if in.c.closed() {
		return errClosed
	}
	return err
}

// borrow sees to it that there is room to read into, if possible in a buffer of the pool.
func (in *inbox) borrow(size int) {
	if size > readBuffer {
		in.makeRoom(size)
		return
	}
	if in.pooled == nil {
		if buffersUsed.Add(1) > mostBuffers {
			buffersUsed.Add(-1)
			in.makeRoom(size)
			return
		}
		in.pooled = readBuffers.Get().(*[readBuffer]byte)
		in.moveTo(in.pooled[:])
		return
	}
	if in.w == len(in.buf) {
		in.moveTo(in.buf)
	}
}

// makeRoom sees to it that there is room in a buffer of the connection's own. It grows with what has come, and not with what was
// announced.
func (in *inbox) makeRoom(size int) {
	if in.w < len(in.buf) {
		return
	}
	have := in.w - in.r
	if in.r > 0 && have < len(in.buf)/2 {
		in.moveTo(in.buf)
		return
	}
	in.moveTo(make([]byte, max(smallBuffer, min(size, 2*have))))
	in.free()
}

// moveTo makes b the buffer.
func (in *inbox) moveTo(b []byte) {
	n := copy(b, in.buf[in.r:in.w])
	in.buf, in.r, in.w = b, 0, n
}

// giveBack returns the buffer while there is nothing to read. What has come of a packet moves into memory of its own.
func (in *inbox) giveBack() {
	if in.pooled == nil {
		if in.r == in.w {
			in.buf, in.own, in.r, in.w = nil, nil, 0, 0
		}
		return
	}
	if have := in.w - in.r; have == 0 {
		in.buf, in.r, in.w = nil, 0, 0
		in.own = nil
	} else {
		if cap(in.own) < have {
			in.own = make([]byte, have+have/4+64)
		}
		in.moveTo(in.own[:cap(in.own)])
		in.w = have
	}
	in.free()
}

func (in *inbox) free() {
	if in.pooled != nil {
		readBuffers.Put(in.pooled)
		buffersUsed.Add(-1)
		in.pooled = nil
	}
}

// settled is called when a packet is whole.
func (in *inbox) settled() {
	if in.part != nil {
		in.part.end()
		in.part = nil
	}
}

// release gives the buffer back before its time, if nothing is in it but a packet that is not needed any more.
func (in *inbox) release() {
	if in.r == in.w && in.raw != nil {
		in.buf, in.own, in.r, in.w = nil, nil, 0, 0
		in.free()
	}
}

// end gives back what the connection holds.
func (in *inbox) end() {
	in.settled()
	in.buf, in.own, in.r, in.w = nil, nil, 0, 0
	in.free()
}
