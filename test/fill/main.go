// Command fill makes a store with so many bytes of blocks in it, says so, and waits to be killed: the store that a
// gateway finds after a crash.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"edged"
	"edged/blockstore"

	"github.com/VictoriaMetrics/metrics"
)

func main() {
	dir := flag.String("dir", "", "data directory")
	bytes := flag.Int64("bytes", 1<<30, "size of the file to reach")
	block := flag.Int("block", 4000, "payload bytes a block")
	flag.Parse()
	if err := fill(*dir, *bytes, *block); err != nil {
		fmt.Fprintln(os.Stderr, "fill:", err)
		os.Exit(1)
	}
}

func fill(dir string, bytes int64, block int) error {
	cfg := blockstore.Default()
	cfg.MaxBytes *= 2
	s, err := blockstore.Open(dir, cfg, slog.Default(), metrics.NewSet())
	if err != nil {
		return err
	}
	src := &source{block: block}
	s.AddSource("field", blockstore.Disk, src)
	go s.Run(context.Background())
	// A cursor that needs everything: a sink that has been away.
	if err := s.Commit(context.Background(), &edged.Update{Cursors: []edged.Cursor{{Name: "delivery/none/away", Need: edged.SpansFrom(0)}}}, true); err != nil {
		return err
	}
	for s.Space().Used < bytes {
		if err := s.Flush(context.Background()); err != nil {
			return err
		}
	}
	src.stop()
	fmt.Println("filled", s.Space().Used)
	time.Sleep(time.Hour)
	return nil
}

// source hands over 500 blocks at each cut.
type source struct {
	mu      sync.Mutex
	block   int
	stopped bool
	wall    int64
}

func (s *source) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
}

// Cut implements edged.Source.
func (s *source) Cut(int64) (h edged.Handover) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wall = time.Now().UnixNano()
	h.At = edged.Instant{Wall: s.wall}
	for range 500 {
		if s.stopped {
			break
		}
		h.Parcels = append(h.Parcels, edged.Parcel{Done: func(error) {}, Block: &edged.Block{
			Receiver: "field", Cut: h.At, Trusted: true, Topics: []string{"site/1/gpio/1"}, Topic: []uint32{0}, Arrival: []int64{s.wall},
			Flags: []uint8{1}, End: []uint32{uint32(s.block)}, Data: make([]byte, s.block),
		}})
	}
	return h
}
