package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"edged"
)

// book is a store whose commits the test makes, step by step, or that commits whatever comes. What is durable is a page, which is never
// changed: the next commit turns over to a new one, and a crash is a new book with an old page.
type book struct {
	riders []edged.Rider

	commits sync.Mutex // over mu; one at a time

	mu     sync.Mutex
	page   *page
	open   []*carrier // sources, with what they have taken and not handed over
	queue  []submitted
	full   atomic.Bool   // what run commits finds no room
	torn   bool          // a crash has ended it
	wake   chan struct{} // something waits
	copied int           // puts of queues
	round  *pageRound
	back   pageRound // blocks for which there was no room
}

// room is what a commit finds.
type room int

const (
	enough  room = iota
	reserve      // what publishers bring is put back, or refused
	none         // nothing is written
)

type page struct {
	end     uint64
	entries map[uint64]edged.Entry
	values  map[string]map[string][]byte
	cursors map[string]edged.Cursor
	stored  map[string]int // by source and payload: how often a message of QoS 2 was
}

type submitted struct {
	u    *edged.Update
	done func(error)
}

// pageRound is a commit under way.
type pageRound struct {
	blocks  []*edged.Block
	takes   []take
	updates []submitted
	rides   edged.Update
	refused []submitted
}

type take struct {
	block *edged.Block
	index uint32
	ack   edged.Acker
	token uint64
}

var errTorn = errors.New("the store has ended")

func newBook(p *page) *book {
	if p == nil {
		p = &page{end: 1, entries: map[uint64]edged.Entry{}, values: map[string]map[string][]byte{}, cursors: map[string]edged.Cursor{}, stored: map[string]int{}}
	}
	return &book{page: p, wake: make(chan struct{}, 1)}
}

// crash returns a book with what was durable. The old one refuses everything.
func (b *book) crash() *book {
	b.commits.Lock()
	defer b.commits.Unlock()
	b.mu.Lock()
	b.torn = true
	q := b.queue
	b.queue, b.round = nil, nil
	p := b.page
	b.mu.Unlock()
	for _, s := range q {
		go s.done(errTorn)
	}
	return newBook(p)
}

// carrier is a source of the book: the handler of a receiver whose messages are in the log.
type carrier struct {
	b     *book
	name  string // by its place among the sources, also after a crash
	block *edged.Block
	takes []take
	slow  bool // its blocks are handed over only every other time
	turn  int
}

func (b *book) carrier() *carrier {
	c := &carrier{b: b, name: fmt.Sprint("source ", len(b.open))}
	b.open = append(b.open, c)
	return c
}

func (c *carrier) Take(_ context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if c.b.torn {
		return edged.ErrStopped
	}
	if c.block == nil {
		c.block = &edged.Block{Receiver: c.name}
	}
	blk, i := c.block, uint32(c.block.Len())
	flags := m.QoS
	if m.Retain {
		flags |= edged.FlagRetain
	}
	if m.Kept {
		flags |= edged.FlagKept
		if len(m.Extra) > 0 {
			blk.Extras = append(blk.Extras, edged.BlockExtra{Index: i, Data: bytes.Clone(m.Extra)})
		}
	}
	if m.QoS == 2 {
		o := m.Origin
		o.Client = strings.Clone(o.Client)
		blk.Origins = append(blk.Origins, edged.BlockOrigin{Index: i, Origin: o})
	}
	blk.Topics, blk.Topic = append(blk.Topics, strings.Clone(m.Topic)), append(blk.Topic, i)
	blk.Flags, blk.Data = append(blk.Flags, flags), append(blk.Data, m.Payload...)
	blk.End = append(blk.End, uint32(len(blk.Data)))
	if ack != nil {
		c.takes = append(c.takes, take{blk, i, ack, token})
	}
	c.b.poke()
	return nil
}

func (b *book) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// run commits whatever comes, until ctx ends.
func (b *book) run(ctx context.Context) {
	for {
		select {
		case <-b.wake:
			how := enough
			if b.full.Load() {
				how = reserve
			}
			b.commit(how)
		case <-ctx.Done():
			return
		}
	}
}

// commit is the steps of a commit in one.
func (b *book) commit(how room) {
	b.commits.Lock()
	defer b.commits.Unlock()
	b.gather()
	b.ride()
	b.apply(how)
	b.tell()
}

// gather takes the blocks, and then what was submitted.
func (b *book) gather() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.torn || b.round != nil {
		return
	}
	r := &pageRound{blocks: b.back.blocks, takes: b.back.takes}
	b.back = pageRound{}
	for _, c := range b.open {
		c.turn++
		if c.block == nil || c.slow && c.turn%2 == 1 {
			continue
		}
		r.blocks, r.takes = append(r.blocks, c.block), append(r.takes, c.takes...)
		c.block, c.takes = nil, nil
	}
	r.updates, b.queue = b.queue, nil
	b.round = r
}

func (b *book) ride() {
	if r := b.under(); r != nil && (len(r.blocks) > 0 || slices.ContainsFunc(r.updates, func(s submitted) bool { return !s.u.Empty() })) {
		for _, x := range b.riders {
			x.Ride(&r.rides)
		}
	}
}

func (b *book) under() *pageRound {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.round
}

// apply turns over the page, as the block store does: what publishers bring, what the rest moves, and then the identities in the blocks.
func (b *book) apply(how room) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.round
	if r == nil || b.torn {
		return
	}
	if how > enough {
		b.back, r.blocks, r.takes = pageRound{blocks: r.blocks, takes: r.takes}, nil, nil
	}
	left := r.updates[:0:0]
	for _, s := range r.updates {
		if how == none || how == reserve && s.u.Intake && slices.ContainsFunc(s.u.Puts, func(p edged.Put) bool { return p.Value != nil }) {
			r.refused = append(r.refused, s)
		} else {
			left = append(left, s)
		}
	}
	if r.updates = left; how == none {
		return
	}
	p := &page{end: b.page.end, entries: maps.Clone(b.page.entries), cursors: maps.Clone(b.page.cursors), stored: maps.Clone(b.page.stored), values: map[string]map[string][]byte{}}
	for space, m := range b.page.values {
		p.values[space] = maps.Clone(m)
	}
	for _, blk := range r.blocks {
		blk.Seq = p.end
		p.entries[p.end] = edged.Entry{Seq: p.end, Block: blk}
		p.end += 2 // a tick is in between
		for i := range blk.Len() {
			if blk.QoS(i) == 2 {
				p.stored[blk.Receiver+": "+string(blk.Payload(i))]++
			}
		}
	}
	for _, s := range r.updates {
		b.put(p, s.u)
	}
	b.put(p, &r.rides)
	for _, blk := range r.blocks {
		p.receive(blk)
	}
	p.free()
	b.page = p
}

func (b *book) put(p *page, u *edged.Update) {
	for _, x := range u.Puts {
		m := p.values[x.Space]
		if m == nil {
			m = map[string][]byte{}
			p.values[x.Space] = m
		}
		value := x.Value
		if x.At != nil {
			value = x.At(p.end)
		}
		if value == nil {
			delete(m, x.Key)
			continue
		}
		if x.Space == "queues" {
			b.copied++
		}
		m[x.Key] = bytes.Clone(value)
	}
	for _, c := range u.Cursors {
		p.cursors[c.Name] = c
	}
}

func (p *page) receive(blk *edged.Block) {
	for _, o := range blk.Origins {
		if o.Copies == 0 {
			continue
		}
		m := p.values[edged.SpaceReceived]
		if m == nil {
			m = map[string][]byte{}
			p.values[edged.SpaceReceived] = m
		}
		m[o.Key()] = o.Received(m[o.Key()], blk.Receiver, blk.Kept(int(o.Index)))
	}
}

// free drops the entries that no cursor needs, as soon as may be.
func (p *page) free() {
	maps.DeleteFunc(p.entries, func(seq uint64, _ edged.Entry) bool {
		for _, c := range p.cursors {
			for _, sp := range c.Need {
				if sp.From <= seq && seq < sp.To {
					return false
				}
			}
		}
		return true
	})
}

// tell tells everybody what became of a commit.
func (b *book) tell() {
	b.mu.Lock()
	r := b.round
	b.round = nil
	torn := b.torn
	b.mu.Unlock()
	if r == nil || torn {
		return
	}
	for _, s := range r.updates {
		s.done(nil)
	}
	for _, s := range r.refused {
		s.done(edged.ErrFull)
	}
	var flush []edged.Acker
	for _, t := range r.takes {
		t.ack.Acked(t.token, edged.Pos{Seq: t.block.Seq, Off: t.index}, nil)
		if !slices.Contains(flush, t.ack) {
			flush = append(flush, t.ack)
		}
	}
	for _, a := range flush {
		a.Flush()
	}
}

// waits reports whether a commit has something to do.
func (b *book) waits() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.open {
		if c.block != nil {
			return true
		}
	}
	return len(b.queue)+len(b.back.blocks) > 0
}

// The methods of Store.

func (b *book) End() uint64 { b.mu.Lock(); defer b.mu.Unlock(); return b.page.end }

func (b *book) Next(seq uint64) (edged.Entry, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ; seq < b.page.end; seq++ {
		if e, ok := b.page.entries[seq]; ok {
			return e, true, nil
		}
	}
	return edged.Entry{}, false, nil
}

func (b *book) Values(space string, each func(string, []byte, error) error) error {
	b.mu.Lock()
	m := b.page.values[space]
	b.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(m)) {
		v, err := m[key], error(nil)
		if string(v) == "damaged" {
			v, err = nil, errors.New("checksum does not match")
		}
		if err := each(key, v, err); err != nil {
			return err
		}
	}
	return nil
}

func (b *book) Cursor(name string) (edged.Cursor, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.page.cursors[name]
	return c, ok
}

// Pending counts 100 bytes an entry.
func (b *book) Pending(_ string, need edged.Spans) (n int64) {
	for _, sp := range need {
		n += int64(min(sp.To, b.End())-sp.From) * 100
	}
	return n
}

// longestKey is how long keys can be, as in the block store.
const longestKey = 32 << 10

func (b *book) Submit(u *edged.Update, _ bool, done func(error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.torn {
		go done(errTorn)
		return
	}
	if slices.ContainsFunc(u.Puts, func(p edged.Put) bool { return len(p.Key) > longestKey }) {
		go done(edged.ErrFull)
		return
	}
	b.queue = append(b.queue, submitted{u, done})
	b.poke()
}

func (b *book) Waiting() {}
