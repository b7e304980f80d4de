package file

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"edged"
	"edged/sinks/spec"
)

// options are what a sink is made of.
type options struct {
	path       string // absolute
	csv        bool
	rotateSize int64         // bytes; 0 = never
	rotateAge  time.Duration // 0 = never
	packing    *packing      // of closed files; nil = none
	keep       int           // closed files; 0 = all
	bound      bound
	buffer     int // bytes; 0 = bigWrite
}

// sink implements edged.Sink. Only one goroutine uses it at a time; the closet works beside it on closed files.
type sink struct {
	options
	fs     fsys
	log    *slog.Logger
	meters meters
	closet *closet
	tend   func() // closed files have changed: have the closet look after them
	rest   func() // stops what tend has begun, and waits for it

	names naming
	file  handle // the file at path, if it is open
	state receipt
	ahead bool // state is not what the committed receipt says
	point point
	lines *lines
	ends  []int64 // scratch: the length after each delivery of a turn
}

func newSink(o options, fs fsys, env spec.Env) *sink {
	s := &sink{options: o, fs: fs, log: env.Log, meters: newMeters(env), lines: newLines(o.csv, cmp.Or(o.buffer, bigWrite))}
	s.closet = &closet{fs: fs, log: env.Log, keep: o.keep, packing: o.packing, removed: s.meters.removed}
	w := newWorker(s.closet.tidy)
	s.tend, s.rest = w.poke, w.stop
	if o.bound.max > 0 {
		s.tend, s.rest = func() { s.closet.tidy(context.Background()) }, func() {} // before the next file takes room
	}
	return s
}

// Open brings the file into agreement with the receipt. Apart from cutting off the tail of an uncommitted turn and
// finishing a rotation, it changes nothing that exists.
func (s *sink) Open(ctx context.Context, committed []byte, redo []edged.Delivery) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := decodeReceipt(committed)
	if err != nil {
		return err
	}
	path, err := s.fs.Resolve(s.path)
	if err != nil {
		return fault("open", s.path, err)
	}
	s.rest()
	s.drop()
	s.path, s.state, s.ahead = path, r, false
	s.names = namingOf(path)
	s.closet.dir, s.closet.names = filepath.Dir(path), s.names
	if err := s.attach(redo); err != nil {
		s.drop()
		return err
	}
	s.tend()
	return nil
}

// Write appends a turn. When the receipt in force does not say what is needed before the first byte, or says too little
// for the next one, Write returns early with the receipt to commit.
func (s *sink) Write(ctx context.Context, turn []edged.Delivery) (int, []byte, error) {
	if err := ctx.Err(); err != nil {
		return 0, nil, err
	}
	if len(turn) == 0 {
		return 0, nil, nil
	}
	if err := s.attach(turn); err != nil {
		return 0, nil, err
	}
	if s.ahead {
		s.ahead = false
		return 0, s.state.encode(), nil
	}
	if s.old(time.Now()) {
		s.retire()
		return 0, s.state.encode(), nil
	}
	return s.append(ctx, turn)
}

// Close ends the work on closed files, half-done if need be: the next Open takes it up again.
func (s *sink) Close() error {
	s.rest()
	return s.drop()
}

// drop closes the file, so that the next attach looks at everything anew. What was synced stays; nothing else counts.
func (s *sink) drop() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return f.Close()
}

// open opens the file at path, which stands there as at, and makes its directory entry durable.
func (s *sink) open(flag int) (stat, error) {
	f, err := s.fs.Open(s.path, os.O_RDWR|os.O_APPEND|flag)
	if err != nil {
		return stat{}, fault("open", s.path, err)
	}
	at, err := f.Stat()
	if err == nil {
		err = s.fs.SyncDir(filepath.Dir(s.path))
	}
	if err != nil {
		f.Close()
		return stat{}, fault("open", s.path, err)
	}
	s.file = f
	return at, nil
}
