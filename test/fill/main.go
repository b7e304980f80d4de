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
	row := flag.Int("row", 0, "bytes of a message: a block is so many JSON readings of 50 devices with 8 pins; 0: one message that cannot be packed")
	flag.Parse()
	if err := fill(*dir, *bytes, &source{block: *block, row: *row}); err != nil {
		fmt.Fprintln(os.Stderr, "fill:", err)
		os.Exit(1)
	}
}

func fill(dir string, bytes int64, src *source) error {
	cfg := blockstore.Default()
	cfg.MaxBytes *= 2
	s, err := blockstore.Open(dir, cfg, slog.Default(), metrics.NewSet())
	if err != nil {
		return err
	}
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
	fmt.Println("filled", s.Space().Used, src.messages)
	time.Sleep(time.Hour)
	return nil
}

// source hands over about 2 MB of blocks at each cut.
type source struct {
	block int // payload bytes
	row   int // of a message; 0: a block is one message

	mu       sync.Mutex
	stopped  bool
	messages int
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
	h.At = edged.Instant{Wall: time.Now().UnixNano()}
	for range max(1, 2_000_000/s.block) {
		if s.stopped {
			break
		}
		b := &edged.Block{Receiver: "field", Cut: h.At, Trusted: true}
		if s.row > 0 {
			s.readings(b)
		} else {
			b.Topics, b.Topic, b.Arrival, b.Flags = []string{"site/1/gpio/1"}, []uint32{0}, []int64{h.At.Wall}, []uint8{1}
			b.End, b.Data = []uint32{uint32(s.block)}, appendNoise(nil, s.block)
		}
		s.messages += b.Len()
		h.Parcels = append(h.Parcels, edged.Parcel{Done: func(error) {}, Block: b})
	}
	return h
}
