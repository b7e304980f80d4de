package broker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/test/await"
	"edged/test/rawmqtt"

	"pgregory.net/rapid"
)

// history is one random life of a broker and its store.
type history struct {
	t    testing.TB
	s    *server
	b    *book
	pubs []*publisher
	subs []*subscriber
	step int // of the commit that is under way
	opts historyOptions

	sent     map[string]int      // when a message was first sent
	accepted map[string]bool     // it was acknowledged
	since    map[*subscriber]int // when its subscription was acknowledged; 0: it has none
	last     map[*subscriber]int // likewise, also after it has ended
	moments  int
}

type historyOptions struct {
	every    time.Duration // between rides
	most     int64         // bytes of log that are held
	copies   int           // receivers besides
	slow     bool          // the store is nearly full: the second gets its blocks in later
	volatile bool          // one of them stores nothing
}

func (h *history) open(b *book) {
	h.b, h.step = b, 0
	h.s = start(h.t, setup{store: b, before: func(x *Broker) {
		x.keeping.every, x.keeping.most, x.keeping.pause = h.opts.every, h.opts.most, time.Millisecond
		own := b.carrier()
		x.AttachOwn(own.name, own)
		for i := range h.opts.copies {
			c := b.carrier()
			c.slow = i == 1 && h.opts.slow
			x.Attach(c.name, []string{"t/#"}, c)
		}
		if h.opts.volatile {
			x.Attach("", []string{"t/#"}, atOnce{})
		}
		b.riders = append(b.riders, x)
	}})
}

// atOnce is a receiver that stores nothing.
type atOnce struct{}

func (atOnce) Take(_ context.Context, _ *edged.Message, ack edged.Acker, token uint64) error {
	if ack != nil {
		go func() { ack.Acked(token, edged.Pos{}, nil); ack.Flush() }()
	}
	return nil
}

func (h *history) crash() {
	h.t.Logf("crash")
	after := h.b.crash()
	h.stop()
	h.open(after)
}

func (h *history) stop() {
	for _, p := range h.pubs {
		if p.w != nil {
			p.w.Drop()
		}
		p.w = nil
	}
	for _, c := range h.subs {
		if c.w != nil {
			c.w.Drop()
		}
		c.w = nil
	}
	if err := h.s.stop(); err != nil {
		h.t.Fatal(err)
	}
}

// commitStep makes the next step of a commit.
func (h *history) commitStep(how room) {
	h.t.Logf("commit, step %d, room %d", h.step, how)
	switch h.step {
	case 0:
		h.b.gather()
	case 1:
		h.b.ride()
	case 2:
		h.b.apply(how)
	case 3:
		h.b.tell()
		h.delivered()
	}
	h.step = (h.step + 1) % 4
}

// commit makes what is left of the commit that is under way, and one more.
func (h *history) commit(how room) {
	for h.step > 0 {
		h.commitStep(how)
	}
	for range 4 {
		h.commitStep(how)
	}
}

func (h *history) delivered() {
	await.Soon(h.t, "all is delivered", func() bool {
		f := &h.s.fanout
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.ready) == 0 && !f.busy
	})
}

// ask sends what is answered after a commit, makes it, and returns the answer.
func (h *history) ask(c *subscriber, packet []byte, kind byte, how room) rawmqtt.Frame {
	for h.step > 0 {
		h.commitStep(enough)
	}
	h.b.mu.Lock()
	before := len(h.b.queue)
	h.b.mu.Unlock()
	c.w.Send(packet)
	asked := false // not for what changes nothing: an UNSUBSCRIBE of what is not subscribed
	for {
		f, err := c.w.TryRead(20 * time.Millisecond)
		if h.b.mu.Lock(); !asked && len(h.b.queue) > before {
			asked = true
			h.b.mu.Unlock()
			h.commit(how)
		} else {
			h.b.mu.Unlock()
		}
		if err != nil { // it was not durable, and is tried again
			h.commit(enough)
			continue
		}
		if f.Kind == kind {
			return f
		}
		c.take(h.t, []rawmqtt.Frame{f})
	}
}

func (h *history) subscribe(c *subscriber, qos byte, how room) {
	f := h.ask(c, rawmqtt.Subscribe(false, 9, "t/#", qos), 0x90, how)
	if code := f.Body[2]; code < 0x80 {
		h.moments++
		if h.since[c] == 0 {
			h.since[c], h.last[c] = h.moments, h.moments
		}
		c.sub = true
	}
}

func (h *history) unsubscribe(c *subscriber, how room) {
	h.since[c] = 0
	h.ask(c, rawmqtt.Unsubscribe(false, 9, "t/#"), 0xB0, how)
}

// finish connects everybody, and lets everything come to its end.
func (h *history) finish() {
	quiet := 0
	for round := 0; quiet < 3; round++ {
		if round > 200 {
			h.t.Fatalf("it does not come to an end: %+v", h.pubs)
		}
		quiet++
		for _, p := range h.pubs {
			if p.w == nil {
				p.connect(h.t, h.s)
			}
			p.read(h.t)
			if len(p.flight) > 0 {
				quiet = 0
			}
		}
		for _, c := range h.subs {
			if c.w == nil {
				c.connect(h.t, h.s)
			}
			c.read(h.t)
			if len(c.acks) > 0 || h.s.queued(c.id) > 0 {
				quiet = 0
			}
			c.answer(1 << 30)
			c.read(h.t)
		}
		h.commit(enough)
		if h.b.waits() {
			quiet = 0
		}
	}
}

// judge says what is wrong.
func (h *history) judge() {
	for m := range h.sent {
		for i := range h.opts.copies {
			n := h.b.page.stored[fmt.Sprintf("source %d: %s", i+1, m)]
			if strings.Fields(m)[1] == "2" && (n > 1 || n < 1 && h.accepted[m]) {
				h.t.Errorf("%q is stored %d times by source %d", m, n, i+1)
			}
		}
	}
	for _, c := range h.subs {
		times := map[string]int{}
		var first []string
		for _, m := range c.got {
			if times[m]++; times[m] == 1 {
				first = append(first, m)
			}
		}
		for m := range h.accepted {
			if since := h.since[c]; since > 0 && h.sent[m] > since && times[m] == 0 {
				h.t.Errorf("%s: %q was acknowledged and never came", c.id, m)
			}
		}
		for m, n := range times {
			if n > 1 && strings.HasPrefix(c.id, "sub2") && strings.Fields(m)[1] == "2" {
				h.t.Errorf("%s: %q came %d times", c.id, m, n)
			}
		}
		for _, p := range h.pubs {
			for _, qos := range []string{"1", "2"} { // order is promised within a QoS [MQTT-4.6.0-5]
				once := qos == "2" && c.id != "sub1"
				of := slices.DeleteFunc(slices.Clone(first), func(m string) bool {
					return !strings.HasPrefix(m, p.id+" "+qos+" ") || !once && h.sent[m] < h.last[c] // with QoS 1 what was under way when it subscribed may come late
				})
				if !slices.IsSortedFunc(of, func(a, b string) int { return number(a) - number(b) }) {
					h.t.Errorf("%s: out of order: %q", c.id, of)
				}
			}
		}
	}
}

func number(m string) (n int) { _, _ = fmt.Sscan(strings.Fields(m)[2], &n); return n }

// TestSessionsSurviveAnyHistory: whatever publishers and subscribers do, whenever edged is killed, and whichever commits fail: what was acknowledged comes to those
// who subscribe, with QoS 2 once, and in order; and no identifier is used for something else while the client still knows it.
func TestSessionsSurviveAnyHistory(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		func(t testing.TB) {
			h := &history{t: t, sent: map[string]int{}, accepted: map[string]bool{}, since: map[*subscriber]int{}, last: map[*subscriber]int{}}
			h.opts = historyOptions{
				every:  rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(r, "every"),
				most:   rapid.SampledFrom([]int64{1 << 30, 300}).Draw(r, "most"),
				copies: rapid.IntRange(0, 2).Draw(r, "copies"), slow: rapid.Bool().Draw(r, "slow"), volatile: rapid.Bool().Draw(r, "volatile"),
			}
			for i := range 2 {
				h.pubs = append(h.pubs, &publisher{id: fmt.Sprint("pub", i), accepted: func(m string) { h.accepted[m] = true }})
			}
			for _, id := range []string{"sub1", "sub2a", "sub2b"} {
				h.subs = append(h.subs, &subscriber{id: id})
			}
			h.open(newBook(nil))
			h.play(r)
			h.finish()
			h.judge()
			h.b.crash()
			h.stop()
		}(&attempt{TB: t, r: r})
	})
}

// attempt is the testing.TB of one random history: what fails is the history, so that a shorter one is looked for.
type attempt struct {
	testing.TB
	r *rapid.T
}

func (a *attempt) Errorf(format string, args ...any) { a.r.Errorf(format, args...) }
func (a *attempt) Error(args ...any)                 { a.r.Error(args...) }
func (a *attempt) Fatalf(format string, args ...any) { a.r.Fatalf(format, args...) }
func (a *attempt) Fatal(args ...any)                 { a.r.Fatal(args...) }
func (a *attempt) Logf(format string, args ...any)   { a.r.Logf(format, args...) }
func (a *attempt) Cleanup(f func())                  { a.r.Cleanup(f) }

func (h *history) play(r *rapid.T) {
	pub := func() *publisher { return h.pubs[rapid.IntRange(0, len(h.pubs)-1).Draw(r, "publisher")] }
	sub := func() *subscriber { return h.subs[rapid.IntRange(0, len(h.subs)-1).Draw(r, "subscriber")] }
	how := func() room {
		return rapid.SampledFrom([]room{enough, enough, enough, enough, enough, enough, reserve, none}).Draw(r, "how")
	}
	for range rapid.IntRange(10, 60).Draw(r, "steps") {
		switch do := rapid.SampledFrom([]string{"publish", "publish", "publish", "pub", "sub", "sub", "answer", "answer", "step", "step", "commit", "commit", "leave", "subscribe", "unsubscribe", "renew", "crash"}).Draw(r, "do"); do {
		case "publish":
			p := pub()
			if p.w == nil {
				p.connect(h.t, h.s)
			}
			if len(p.flight) < 15 {
				h.moments++
				h.sent[p.publish(rapid.SampledFrom([]byte{1, 2}).Draw(r, "QoS"))] = h.moments
			}
			p.read(h.t)
		case "pub":
			if p := pub(); p.w != nil {
				p.read(h.t)
			}
		case "sub", "subscribe", "unsubscribe":
			c := sub()
			if c.w == nil {
				c.connect(h.t, h.s)
			}
			c.read(h.t)
			switch {
			case do == "subscribe" || do == "sub" && h.since[c] == 0:
				h.subscribe(c, map[bool]byte{true: 1, false: 2}[c.id == "sub1"], how())
			case do == "unsubscribe":
				h.unsubscribe(c, how())
			}
		case "answer":
			if c := sub(); c.w != nil {
				c.answer(rapid.IntRange(1, 5).Draw(r, "n"))
				c.read(h.t)
			}
		case "step":
			h.commitStep(how())
		case "commit":
			h.commit(how())
		case "leave":
			if c := sub(); c.w != nil {
				_ = c.w.Close()
				c.w = nil
				await.Soon(h.t, "it is noticed", func() bool {
					s := h.s.sessions.get(c.id)
					h.s.sessions.mu.Lock()
					defer h.s.sessions.mu.Unlock()
					return s.conn == nil
				})
			}
		case "renew":
			c := sub()
			h.since[c] = 0
			if c.renew(h.t, h.s); rapid.Bool().Draw(r, "subscribe") {
				h.subscribe(c, map[bool]byte{true: 1, false: 2}[c.id == "sub1"], enough)
			}
		case "crash":
			h.crash()
		}
	}
}
