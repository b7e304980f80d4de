package blockstore

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"edged"

	"go.etcd.io/bbolt"
	"golang.org/x/time/rate"
)

// ErrClosed is returned for what reaches the store after its committer has ended.
var ErrClosed = errors.New("the store is closed")

// Store is the block store. Open makes it, Run is its committer, Close comes after Run has returned. The other methods may
// be called by any goroutine.
type Store struct {
	cfg  Config
	log  *slog.Logger
	db   *database
	path string
	uuid string
	meta meta
	boot [16]byte
	seen edged.Instant // the latest time that what is in the log names, ticks apart

	// Set before Run, and by Rewire between two commits.
	sources []*source
	riders  []edged.Rider
	router  edged.Router

	pace   *pace
	meter  *meter
	teller teller

	packing *rate.Limiter // time that the committer may spend on packing

	// The committer's own: no lock.
	next       uint64            // the next sequence number
	cum        uint64            // bytes of the block log so far
	ends       map[string]logEnd // of the result logs
	totals     totals
	untold     bool           // blocks in memory were numbered since the newest tick: the next commit writes one
	vain       bool           // numbers were given in vain since then: the next commit writes one, or the next life would begin below the end of this log
	retry      []edged.Parcel // cut, but the disk had no room
	retryCuts  []cut
	retryAt    time.Time
	freed      time.Time
	measured   time.Time // when the room was
	asked      time.Time // when the riders were
	saidFull   bool
	saidNoRoom bool // that the disk has none for blocks that wait
	lastTick   *edged.Tick
	uncounted  []uint64 // blocks behind the newest tick that can be read, until there is a router
	shelf      shelf
	atTop      int   // entries of the block log at the top level: no fewer are there, as far as it matters
	inline     int64 // bytes of those that came since the last were moved, and have no pages of their own
	reserved   reserved
	encoded    encoded
	draining   bool

	mu      sync.Mutex // guards the rest
	queue   []pending
	pub     published
	changed chan struct{} // closed and replaced at each publication
	fatal   error
	round   Progress

	expected  map[string]bool // cursors that are to come; the committer's
	expecting time.Time       // since when; under mu

	rewiring *rewiring // what waits to take the place of sources, riders and router

	unreadable map[entryName]bool // log entries that were come to and cannot be read
}

// published is what readers see: it moves only after a commit.
type published struct {
	end     uint64
	cum     uint64
	results map[string]logEnd
	cursors map[string]edged.Cursor
	cache   cache
	space   Space
	tick    *edged.Tick
	notes   []Note
	awaited []string // cursors that are to come
}

type logEnd struct{ next, cum uint64 }

type source struct {
	name  string
	level Level
	edged.Source
}

type pending struct {
	u     *edged.Update
	done  func(error)
	all   bool // the round is to take everything that waits in the sources
	after int  // of an intake update: how many puts of the round's others were submitted before it
}

// Progress is what the watchdog is fed by.
type Progress struct {
	LastRound  time.Time // when the committer last came round
	CommitFrom time.Time // when the commit that is under way began; zero if none is
}

// AddSource registers a receiver before Run. Its name is the blocks' receiver.
func (s *Store) AddSource(name string, level Level, src edged.Source) {
	s.sources = append(s.sources, &source{name, level, src})
	s.totals.receiver(name)
}

// AddRider registers a consumer that rides along, before Run.
func (s *Store) AddRider(r edged.Rider) { s.riders = append(s.riders, r) }

// SetRouter sets who counts messages for the streams' ledger, before Run; after it that is Rewire's.
func (s *Store) SetRouter(r edged.Router) {
	s.router = r
	known := r.Streams()
	s.totals.streams = slices.DeleteFunc(s.totals.streams, func(t edged.StreamTotal) bool { return !slices.Contains(known, t.Stream) })
	s.recountStreams()
}

// UUID names this store for ever; a new or salvaged one has a new name. It is part of every idempotency key.
func (s *Store) UUID() string { return s.uuid }

// Waiting tells the committer that a publisher waits for an acknowledgement, or that many bytes wait. It never blocks and
// may be called for every message.
func (s *Store) Waiting() { s.pace.poke(&s.pace.waiting) }

// Hurry tells the committer that a publisher stands still until it is acknowledged. It gets an early commit even when the
// write budget is spent. It never blocks.
func (s *Store) Hurry() { s.pace.poke(&s.pace.hurry) }

// LastInstant is the newest time in the log, where the clock goes on from.
func (s *Store) LastInstant() edged.Instant {
	if t := s.LastTick(); t != nil {
		return laterOf(t.Newest(), s.seen)
	}
	return s.seen
}

// LastTick is the newest tick, or nil if there was none yet.
func (s *Store) LastTick() *edged.Tick {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pub.tick
}

// Changed returns a channel that is closed when something new was committed.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Progress says when the committer last came round.
func (s *Store) Progress() Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.round
}

// Cursor returns the committed cursor of that name.
func (s *Store) Cursor(name string) (edged.Cursor, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.pub.cursors[name]
	return c, ok
}

// Cursors returns every committed cursor.
func (s *Store) Cursors() []edged.Cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]edged.Cursor, 0, len(s.pub.cursors))
	for _, c := range s.pub.cursors {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b edged.Cursor) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Close writes the free list for a quick next start, and closes the file. Run has returned before.
func (s *Store) Close() error {
	s.db.NoFreelistSync = false
	err := s.db.Update(func(*bbolt.Tx) error { return nil })
	if err != nil && s.Err() == nil && !isFull(err) {
		s.log.Warn("the store's free list was not written; the next start takes a little longer", "error", err)
	}
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("closing the store %s: %w", s.path, err)
	}
	return nil
}

// Err returns what ended the committer, or nil.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fatal
}

// publish lets readers see what was committed.
func (s *Store) publish(f func(p *published)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.pub)
	close(s.changed)
	s.changed = make(chan struct{})
}
