package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type pubOpts struct {
	addr      string
	conns     int
	qos       int
	window    int
	count     int64
	rate      float64
	dur       time.Duration
	topic     string
	pins      int
	style     string
	pad       int
	seqStart  int64
	connStart int
	clientID  string
	clean     bool
	reconnect time.Duration
	drain     time.Duration
	noDrain   bool
}

var base = time.Now()

func mono() int64 { return int64(time.Since(base)) }

// slot states
const (
	slFree = iota
	slSent
	slRec // PUBREC seen (QoS 2)
)

type slot struct {
	seq int64
	t   int64
	ms  int64 // the payload's ts: a retransmission carries the original bytes
	st  atomic.Uint32
}

type pubConn struct {
	o      *pubOpts
	id     int
	count  int64
	rate   float64
	slots  []slot // index 1..pidMod
	pidMod uint32
	topics [][]byte
	idTail string

	next     int64 // next sequence number, minus seqStart
	nextPid  uint32
	inflight atomic.Int64
	acked    atomic.Int64
	sent     atomic.Int64
	resent   int64
	redials  int64
	wake     chan struct{}
	mu       sync.Mutex // writes
	nc       net.Conn
	h        *hist
	log      []uint64 // acked bitmap, index seq-seqStart
	ackedDup int64
	resentSq map[int64]int // how often a message was sent again
	stop     *atomic.Bool
	err      error
	doneAt   int64
	maxGap   int64 // longest time without an ack while some were outstanding
	lastAck  int64
}

func putVarint(b []byte, n int) []byte {
	for {
		c := byte(n & 127)
		n >>= 7
		if n > 0 {
			b = append(b, c|128)
		} else {
			return append(b, c)
		}
	}
}

func mqttString(b []byte, s string) []byte {
	b = append(b, byte(len(s)>>8), byte(len(s)))
	return append(b, s...)
}

func connectPacket(id string, clean bool, keepalive int) []byte {
	v := mqttString(nil, "MQTT")
	fl := byte(0)
	if clean {
		fl = 2
	}
	v = append(v, 4, fl, byte(keepalive>>8), byte(keepalive))
	v = mqttString(v, id)
	return append(putVarint([]byte{0x10}, len(v)), v...)
}

func dialMQTT(addr, id string, clean bool) (net.Conn, *bufio.Reader, bool, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, nil, false, err
	}
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err = c.Write(connectPacket(id, clean, 0)); err != nil {
		c.Close()
		return nil, nil, false, err
	}
	r := bufio.NewReaderSize(c, 64<<10)
	var b [4]byte
	if _, err = io.ReadFull(r, b[:]); err != nil || b[0] != 0x20 || b[3] != 0 {
		c.Close()
		return nil, nil, false, fmt.Errorf("connect refused: % x %v", b, err)
	}
	c.SetDeadline(time.Time{})
	return c, r, b[2]&1 == 1, nil
}

// appendPublish writes one PUBLISH into b.
func (c *pubConn) appendPublish(b []byte, seq int64, pid uint32, dup bool, nowMs int64) []byte {
	var pl [256]byte
	p := pl[:0]
	pin := int(seq % int64(c.o.pins))
	if c.o.style == "raw" {
		p = strconv.AppendInt(p, seq, 10)
		p = append(p, '.', '5')
	} else {
		p = append(p, `{"pin":`...)
		p = strconv.AppendInt(p, int64(pin), 10)
		p = append(p, `,"value":`...)
		v := (seq*37 + int64(pin)) % 1000
		p = strconv.AppendInt(p, v/10, 10)
		p = append(p, '.', byte('0'+v%10))
		p = append(p, `,"ts":`...)
		p = strconv.AppendInt(p, nowMs, 10)
		p = append(p, `,"seq":`...)
		p = strconv.AppendInt(p, seq, 10)
		p = append(p, c.idTail...)
		if c.o.pad > 0 {
			p = append(p, `,"pad":"`...)
			p = append(appendPad(p, c.o.pad, uint64(seq)*0x9e3779b97f4a7c15+uint64(c.id)), '"')
		}
		p = append(p, '}')
	}
	tp := c.topics[pin]
	n := len(tp) + len(p)
	h := byte(0x30) | byte(c.o.qos<<1)
	if dup {
		h |= 8
	}
	if c.o.qos > 0 {
		n += 2
	}
	b = append(b, h)
	b = putVarint(b, n)
	b = append(b, tp...)
	if c.o.qos > 0 {
		b = append(b, byte(pid>>8), byte(pid))
	}
	return append(b, p...)
}

// appendPad appends n letters that cannot be packed: who stores messages packed is to have all of their bytes. A message that is sent again has the same ones.
func appendPad(b []byte, n int, seed uint64) []byte {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for x := seed | 1; n > 0; {
		x ^= x << 13 // xorshift64
		x ^= x >> 7
		x ^= x << 17
		for v, k := x, min(n, 10); k > 0; k-- {
			b = append(b, letters[v&63])
			v, n = v>>6, n-1
		}
	}
	return b
}

func (c *pubConn) write(b []byte) error {
	c.mu.Lock()
	_, err := c.nc.Write(b)
	c.mu.Unlock()
	return err
}

// reader handles acks until the connection ends.
func (c *pubConn) reader(r *bufio.Reader, pong chan<- struct{}) error {
	var rel []byte
	thr := int64(c.o.window / 4)
	if thr < 1 {
		thr = 1
	}
	for {
		b, err := r.Peek(2)
		if err != nil {
			return err
		}
		now := mono()
		_ = b
		rel = rel[:0]
		got := int64(0)
		for r.Buffered() >= 2 {
			h, _ := r.Peek(2)
			ln := int(h[1])
			if ln > 2 {
				return fmt.Errorf("unexpected packet % x", h)
			}
			if r.Buffered() < 2+ln {
				if _, err := r.Peek(2 + ln); err != nil {
					return err
				}
			}
			p, _ := r.Peek(2 + ln)
			switch p[0] >> 4 {
			case 4, 7: // PUBACK, PUBCOMP
				pid := binary.BigEndian.Uint16(p[2:])
				s := &c.slots[pid]
				if s.st.Load() == slFree {
					c.ackedDup++
					break
				}
				i := s.seq - c.o.seqStart
				c.h.add(now - s.t)
				if c.log != nil {
					c.log[i>>6] |= 1 << uint(i&63)
				}
				s.st.Store(slFree)
				got++
			case 5: // PUBREC
				pid := binary.BigEndian.Uint16(p[2:])
				c.slots[pid].st.CompareAndSwap(slSent, slRec)
				rel = append(rel, 0x62, 2, p[2], p[3])
			case 13:
				select {
				case pong <- struct{}{}:
				default:
				}
			}
			r.Discard(2 + ln)
		}
		if got > 0 {
			if c.lastAck > 0 && now-c.lastAck > c.maxGap {
				c.maxGap = now - c.lastAck
			}
			c.lastAck = now
			c.acked.Add(got)
			in := c.inflight.Add(-got)
			if int64(c.o.window)-in >= thr || in == 0 {
				select {
				case c.wake <- struct{}{}:
				default:
				}
			}
		}
		if len(rel) > 0 {
			if err := c.write(rel); err != nil {
				return err
			}
		}
	}
}

var errConnEnded = errors.New("connection ended")

// session runs one TCP connection; nil means everything was sent and acked.
func (c *pubConn) session(start time.Time) error {
	nc, r, _, err := dialMQTT(c.o.addr, c.o.clientID+strconv.Itoa(c.id), c.o.clean)
	if err != nil {
		return err
	}
	c.nc = nc
	c.lastAck = 0
	defer nc.Close()
	rerr := make(chan error, 1)
	pong := make(chan struct{}, 1)
	go func() { e := c.reader(r, pong); nc.Close(); rerr <- e; close(rerr) }()
	dead := make(chan struct{})
	var rdErr error
	go func() { rdErr = <-rerr; close(dead) }()

	buf := make([]byte, 0, 96<<10)
	// resend what a former connection left in flight
	if c.redials > 0 && c.o.qos > 0 {
		var left []int // in send order [MQTT-4.6.0-1]
		for i := range c.slots {
			if c.slots[i].st.Load() != slFree {
				left = append(left, i)
			}
		}
		sort.Slice(left, func(a, b int) bool { return c.slots[left[a]].seq < c.slots[left[b]].seq })
		for _, i := range left {
			s := &c.slots[i]
			switch s.st.Load() {
			case slSent:
				buf = c.appendPublish(buf, s.seq, uint32(i), true, s.ms)
				c.resent++
				if c.resentSq != nil {
					c.resentSq[s.seq]++
				}
			case slRec:
				buf = append(buf, 0x62, 2, byte(i>>8), byte(i))
			}
			if len(buf) > 60<<10 {
				if err := c.write(buf); err != nil {
					<-dead
					return err
				}
				buf = buf[:0]
			}
		}
		if len(buf) > 0 {
			if err := c.write(buf); err != nil {
				<-dead
				return err
			}
			buf = buf[:0]
		}
	}
	interval := time.Duration(0)
	if c.rate > 0 {
		interval = time.Duration(float64(time.Second) / c.rate)
	}
	wait := func() error {
		select {
		case <-c.wake:
			return nil
		case <-dead:
			return errConnEnded
		case <-time.After(50 * time.Millisecond):
			return nil
		}
	}
	for !c.stop.Load() && (c.count <= 0 || c.next < c.count) {
		n := int64(512)
		if c.count > 0 && c.count-c.next < n {
			n = c.count - c.next
		}
		now := time.Now()
		if c.rate > 0 {
			due := int64(float64(now.Sub(start))/float64(time.Second)*c.rate) + 1 - c.next
			if due <= 0 {
				d := start.Add(time.Duration(c.next) * interval).Sub(now)
				if d < 2*time.Millisecond {
					d = 2 * time.Millisecond
				}
				select {
				case <-dead:
					return errConnEnded
				case <-time.After(d):
				}
				continue
			}
			if due < n {
				n = due
			}
		}
		if c.o.qos > 0 {
			room := int64(c.o.window) - c.inflight.Load()
			if room <= 0 {
				if err := wait(); err != nil {
					return err
				}
				continue
			}
			if room < n {
				n = room
			}
		}
		t := mono()
		nowMs := now.UnixMilli()
		k := int64(0)
		for ; k < n; k++ {
			seq := c.o.seqStart + c.next
			var pid uint32
			if c.o.qos > 0 {
				pid = c.nextPid + 1
				s := &c.slots[pid]
				if s.st.Load() != slFree {
					break
				}
				c.nextPid = pid % c.pidMod
				s.seq = seq
				s.ms = nowMs
				s.t = t
				if c.rate > 0 { // open loop: latency counts from the planned time
					if pt := int64(start.Sub(base)) + c.next*int64(interval); pt < t {
						s.t = pt
					}
				}
				s.st.Store(slSent)
			}
			buf = c.appendPublish(buf, seq, pid, false, nowMs)
			c.next++
		}
		if c.o.qos > 0 {
			c.inflight.Add(k)
		}
		c.sent.Add(k)
		if k == 0 {
			if err := wait(); err != nil {
				return err
			}
			continue
		}
		if err := c.write(buf); err != nil {
			<-dead
			return err
		}
		buf = buf[:0]
	}
	// drain
	if c.o.qos > 0 {
		end := time.Now().Add(c.o.drain)
		for c.inflight.Load() > 0 && time.Now().Before(end) {
			if err := wait(); err != nil {
				return err
			}
		}
	} else if !c.o.noDrain {
		if err := c.write([]byte{0xc0, 0}); err != nil {
			<-dead
			return err
		}
		select {
		case <-pong:
		case <-dead:
			return errConnEnded
		case <-time.After(c.o.drain):
		}
	}
	c.doneAt = mono()
	c.write([]byte{0xe0, 0})
	nc.Close()
	<-dead
	_ = rdErr
	return nil
}

func (c *pubConn) run(start time.Time) {
	deadline := time.Time{}
	for {
		err := c.session(start)
		if err == nil {
			return
		}
		if c.o.reconnect == 0 {
			c.err = err
			return
		}
		if deadline.IsZero() || c.sent.Load() > 0 && c.lastAck > 0 {
			deadline = time.Now().Add(c.o.reconnect)
			c.lastAck = 0
		}
		if time.Now().After(deadline) {
			c.err = err
			return
		}
		c.redials++
		time.Sleep(100 * time.Millisecond)
	}
}

type pubResult struct {
	Mode      string      `json:"mode"`
	Label     string      `json:"label,omitempty"`
	Conns     int         `json:"conns"`
	QoS       int         `json:"qos"`
	Window    int         `json:"window"`
	Payload   string      `json:"payload"`
	Began     int64       `json:"began"` // Unix time in nanoseconds, before the first publish
	Sent      int64       `json:"sent"`
	Acked     int64       `json:"acked"`
	Resent    int64       `json:"resent"`
	Redials   int64       `json:"redials"`
	DupAcks   int64       `json:"dup_acks"`
	Seconds   float64     `json:"seconds"`
	Rate      float64     `json:"msgs_per_s"`
	P50       float64     `json:"ack_p50_ms"`
	P90       float64     `json:"ack_p90_ms"`
	P99       float64     `json:"ack_p99_ms"`
	P999      float64     `json:"ack_p999_ms"`
	Max       float64     `json:"ack_max_ms"`
	MaxGap    float64     `json:"ack_max_gap_ms"`
	GenCPU    float64     `json:"gen_cpu_s"`
	GenPerM   float64     `json:"gen_cpu_s_per_million"`
	OtherCPU  float64     `json:"other_cpu_s"` // used by processes that are neither this one nor in -pid: noise, or a part left out
	Steal     float64     `json:"steal_s"`
	Errors    []string    `json:"errors,omitempty"`
	Processes []procDelta `json:"processes,omitempty"`
}

// ackLine is one line of the ack log: what one connection got acked, as closed ranges of sequence numbers.
type ackLine struct {
	Conn   int        `json:"conn"`
	Sent   [2]int64   `json:"sent"`
	Acked  [][2]int64 `json:"acked"`
	Resent []int64    `json:"resent,omitempty"`
}

func pubMain(args []string) error {
	fs := flag.NewFlagSet("pub", flag.ExitOnError)
	o := &pubOpts{}
	fs.StringVar(&o.addr, "addr", "127.0.0.1:1883", "broker address")
	fs.IntVar(&o.conns, "n", 1, "connections")
	fs.IntVar(&o.qos, "qos", 1, "QoS 0, 1 or 2")
	fs.IntVar(&o.window, "w", 100, "messages in flight per connection (QoS 1, 2)")
	fs.Int64Var(&o.count, "m", 0, "messages in all (0: until --d)")
	fs.Float64Var(&o.rate, "rate", 0, "messages per second in all (0: as fast as the window allows)")
	fs.DurationVar(&o.dur, "d", 0, "stop after this long")
	spread := fs.Bool("spread", false, "with -rate: connections begin one after the other within the time between two messages of each, as sensors do that know nothing of each other")
	fs.StringVar(&o.topic, "topic", "site/{conn}/gpio/{pin}", "topic pattern")
	fs.IntVar(&o.pins, "pins", 8, "different pins per connection")
	fs.StringVar(&o.style, "payload", "json", "json or raw")
	fs.IntVar(&o.pad, "pad", 0, "json: pad bytes, which cannot be packed")
	fs.Int64Var(&o.seqStart, "seq", 1, "first sequence number")
	fs.IntVar(&o.connStart, "conn0", 1, "number of the first connection")
	fs.StringVar(&o.clientID, "id", "load-", "client id prefix")
	fs.BoolVar(&o.clean, "clean", true, "clean session")
	fs.DurationVar(&o.reconnect, "reconnect", 0, "redial for this long after a lost connection, resend what is unacked with DUP (0: give up)")
	fs.DurationVar(&o.drain, "drain", 30*time.Second, "wait this long for outstanding acks at the end")
	fs.BoolVar(&o.noDrain, "no-drain", false, "QoS 0: do not wait for a PINGRESP at the end")
	acklog := fs.String("acklog", "", "write what was acked to this file")
	pids := fs.String("pid", "", "server process ids: their CPU, RSS and written bytes go in the result")
	pidfile := fs.String("label", "", "copied to the result")
	progress := fs.Duration("progress", 0, "print counts to stderr this often")
	fs.Parse(args)
	if o.count == 0 && o.dur == 0 {
		return errors.New("give -m or -d")
	}
	if o.window > 60000 {
		o.window = 60000
	}
	var stop atomic.Bool
	var cs []*pubConn
	for i := 0; i < o.conns; i++ {
		c := &pubConn{o: o, id: o.connStart + i, wake: make(chan struct{}, 1), h: &hist{}, stop: &stop}
		if o.qos > 0 {
			c.pidMod = uint32(min(65535, max(4*o.window, 256))) // few, so that they stay in the cache
			c.slots = make([]slot, 65536)
		}
		if o.count > 0 {
			c.count = o.count / int64(o.conns)
			if int64(i) < o.count%int64(o.conns) {
				c.count++
			}
			if c.count == 0 {
				continue
			}
		}
		c.rate = o.rate / float64(o.conns)
		for p := 0; p < o.pins; p++ {
			t := strings.NewReplacer("{conn}", strconv.Itoa(c.id), "{pin}", strconv.Itoa(p)).Replace(o.topic)
			c.topics = append(c.topics, mqttString(nil, t))
		}
		c.idTail = `,"conn":` + strconv.Itoa(c.id)
		if *acklog != "" {
			n := c.count
			if n <= 0 {
				n = 50_000_000 / int64(o.conns)
			}
			c.log = make([]uint64, n/64+1)
			c.resentSq = map[int64]int{}
		}
		cs = append(cs, c)
	}
	var before []procSample
	for _, p := range parsePids(*pids) {
		resetPeak(p)
		if s, err := sample(p); err == nil {
			before = append(before, s)
		}
	}
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, syscall.SIGINT, syscall.SIGTERM)
	go func() { <-sig; stop.Store(true) }()
	if o.dur > 0 {
		time.AfterFunc(o.dur, func() { stop.Store(true) })
	}
	cpu0 := selfCPU()
	busy0, steal0 := hostCPU()
	start := time.Now()
	var wg sync.WaitGroup
	for i, c := range cs {
		phase := time.Duration(0)
		if *spread && c.rate > 0 {
			phase = time.Duration(float64(time.Second) / c.rate * float64(i) / float64(len(cs)))
		}
		wg.Add(1)
		go func() { defer wg.Done(); time.Sleep(phase); c.run(start.Add(phase)) }()
	}
	if *progress > 0 {
		go func() {
			for range time.Tick(*progress) {
				var s, a int64
				for _, c := range cs {
					s += c.sent.Load()
					a += c.acked.Load()
				}
				fmt.Fprintf(os.Stderr, "%.1fs sent %d acked %d\n", time.Since(start).Seconds(), s, a)
			}
		}()
	}
	wg.Wait()
	end := int64(0)
	for _, c := range cs {
		if c.doneAt > end {
			end = c.doneAt
		}
	}
	if end == 0 {
		end = mono()
	}
	secs := float64(end-int64(start.Sub(base))) / 1e9
	r := pubResult{Mode: "pub", Label: *pidfile, Conns: o.conns, QoS: o.qos, Window: o.window, Payload: o.style, Began: start.UnixNano(), Seconds: round3(secs)}
	h := &hist{}
	for _, c := range cs {
		h.merge(c.h)
		r.Sent += c.sent.Load()
		r.Acked += c.acked.Load()
		r.Resent += c.resent
		r.Redials += c.redials
		r.DupAcks += c.ackedDup
		if g := round3(float64(c.maxGap) / 1e6); g > r.MaxGap {
			r.MaxGap = g
		}
		if c.err != nil && len(r.Errors) < 5 {
			r.Errors = append(r.Errors, fmt.Sprintf("conn %d: %v", c.id, c.err))
		}
	}
	done := r.Acked
	if o.qos == 0 {
		done = r.Sent
	}
	r.Rate = round3(float64(done) / secs)
	r.P50, r.P90, r.P99, r.P999, r.Max = h.q(.5), h.q(.9), h.q(.99), h.q(.999), round3(float64(h.max)/1e6)
	r.GenCPU = round3(selfCPU() - cpu0)
	if done > 0 {
		r.GenPerM = round3(r.GenCPU * 1e6 / float64(done))
	}
	busy1, steal1 := hostCPU()
	r.OtherCPU, r.Steal = busy1-busy0-r.GenCPU, round3(steal1-steal0)
	for _, a := range before {
		if b, err := sample(a.Pid); err == nil {
			r.OtherCPU -= b.CPU - a.CPU
			r.Processes = append(r.Processes, delta(a, b, done))
		}
	}
	r.OtherCPU = max(0, round3(r.OtherCPU))
	if *acklog != "" {
		if err := writeAckLog(*acklog, cs); err != nil {
			return err
		}
	}
	emit(r)
	return nil
}

func writeAckLog(path string, cs []*pubConn) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for _, c := range cs {
		l := ackLine{Conn: c.id, Sent: [2]int64{c.o.seqStart, c.o.seqStart + c.next - 1}}
		var from int64 = -1
		for i := int64(0); i <= c.next; i++ {
			on := i < c.next && c.log[i>>6]>>uint(i&63)&1 == 1
			if c.o.qos == 0 {
				on = i < c.next
			}
			if on && from < 0 {
				from = i
			}
			if !on && from >= 0 {
				l.Acked = append(l.Acked, [2]int64{c.o.seqStart + from, c.o.seqStart + i - 1})
				from = -1
			}
		}
		for s, n := range c.resentSq {
			for range n {
				l.Resent = append(l.Resent, s)
			}
		}
		b, _ := json.Marshal(l)
		w.Write(append(b, '\n'))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
