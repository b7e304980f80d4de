package broker

import (
	"sync"
	"sync/atomic"
	"time"

	"edged"
	"edged/broker/record"
)

// Store is where sessions are kept: the block log, and values beside it. Its methods are those of the block store.
type Store interface {
	// End is the position after the newest entry of the log.
	End() uint64
	// Next returns the first entry at or after a position, or false if there is none.
	Next(seq uint64) (edged.Entry, bool, error)
	Values(space string, each func(key string, value []byte, err error) error) error
	Cursor(name string) (edged.Cursor, bool)
	// Pending is how many bytes of the log are held for what is needed.
	Pending(log string, need edged.Spans) int64
	// Submit hands over an update, and has done called from another goroutine when it is durable or cannot be.
	Submit(u *edged.Update, soon bool, done func(error))
	Waiting() // somebody waits for an acknowledgement
}

const (
	// rideEvery is how often it is written where the sessions stand, if nothing of it is urgent.
	rideEvery = time.Second
	// sessionsHold is how much of the log is held for sessions that are behind, unless the log is small (Options.Hold). What they still want
	// of it is copied then.
	sessionsHold = 8 << 20
	// copiedAtOnce bounds what one commit copies, in bytes.
	copiedAtOnce = 256 << 10
	// agedAfter is how often it is written down for how long a session has been away.
	agedAfter = time.Hour
	// cursorEvery is how often the cursor is written if only the log has moved.
	cursorEvery = 5 * time.Second
	// againAfter is how long after the store had no room it is tried again.
	againAfter = time.Second
)

// keeping keeps sessions on disk (docs/adr/0014-sessions.md). Two streams of puts go to the store, each in order: what somebody waits
// for, or what must not come later than something else, is submitted; everything else rides along with commits that happen anyway,
// behind what was submitted before it was looked at. A key belongs to one stream at a time.
type keeping struct {
	b     *Broker
	store Store         // nil: nothing is kept
	every time.Duration // rideEvery
	pause time.Duration // againAfter
	most  int64         // sessionsHold

	soon    atomic.Bool   // something must not wait for a second: it rides with the next commit
	numbers atomic.Uint32 // of letters with a form of their own: the last one

	mu     sync.Mutex   // over sessions.mu
	riding bool         // it is not known yet what became of the last ride
	rode   []edged.Put  // with it
	marks  record.Marks // of it
	hold   uint64       // the log is held from there; math.MaxUint64: not at all
	rides  time.Time    // when it was
	wrote  time.Time    // the cursor
	over   bool         // everything is saved, and nothing rides any more

	later struct {
		sync.Mutex             // under every other
		puts       []edged.Put // for the next ride
		open       bool        // since is kept
		since      []edged.Put // the keys of what was submitted after the last ride
	}
}

// put has a put go with the next ride.
func (k *keeping) put(space, key string, value []byte) {
	k.later.Lock()
	k.later.puts = append(k.later.puts, edged.Put{Space: space, Key: key, Value: value})
	k.later.Unlock()
}

// submit hands over an update; done is called from another goroutine when it is durable, or cannot be.
func (k *keeping) submit(u *edged.Update, done func(error)) {
	k.later.Lock()
	if k.later.open {
		for _, p := range u.Puts {
			k.later.since = append(k.later.since, edged.Put{Space: p.Space, Key: p.Key})
		}
	}
	k.later.Unlock()
	k.store.Submit(u, false, done)
}

// again calls f a little later, unless the broker is stopping: the store had no room.
func (k *keeping) again(f func()) {
	if !k.b.in.Stopping() {
		time.AfterFunc(k.pause, f)
	}
}

// erase takes things off the disk that were submitted; if there is no room even for that, it tries again. It is called with sessions.mu.
func (k *keeping) erase(puts []edged.Put) {
	if len(puts) == 0 {
		return
	}
	k.submit(&edged.Update{Puts: puts}, func(err error) {
		if err == nil {
			return
		}
		k.again(func() {
			ss := &k.b.sessions
			ss.mu.Lock()
			defer ss.mu.Unlock()
			k.erase(ss.unused(puts))
		})
	})
}

// number is that of the next letter with a form of its own. It is never 0.
func (k *keeping) number() uint32 {
	for {
		if n := k.numbers.Add(1); n != 0 {
			return n
		}
	}
}

// Release implements intake.Memory.
func (k *keeping) Release(client string, id uint16, done func(error)) {
	o := edged.Origin{Client: client, PacketID: id}
	k.store.Submit(&edged.Update{Puts: []edged.Put{{Space: edged.SpaceReceived, Key: o.Key()}}}, false, func(err error) {
		if err == nil || k.b.in.Stopping() {
			done(err)
			return
		}
		k.again(func() { k.Release(client, id, done) }) // PUBREL is not repeated as long as the connection stands
	})
	k.store.Waiting()
}
