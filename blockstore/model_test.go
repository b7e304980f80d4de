package blockstore

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"edged"

	"pgregory.net/rapid"
)

// model is what a store should be: plain lists.
type model struct {
	blocks  []modelBlock // acknowledged, in log order
	needs   map[string]edged.Spans
	results map[string]int
	free    map[uint64]bool // needed by nobody at some time: they may go
}

type modelBlock struct {
	seq  uint64
	text string
}

// TestModel runs random sequences of put, round, deliver, forget, crash and restart against the model: what was acknowledged
// and is needed is read back in order; what nobody needs may go; nothing else appears.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "edged-model-")
		if err != nil {
			t.Fatal(err)
		}
		dirs := []string{dir}
		defer func() {
			for _, d := range dirs {
				os.RemoveAll(d)
			}
		}()
		keep0 := func(c *Config) { c.Keep = 0; c.MemoryCache = 1 << 20 }
		m := &model{needs: map[string]edged.Spans{}, results: map[string]int{}, free: map[uint64]bool{}}
		var s *Store
		var feeds []*feed
		wall := int64(0)
		start := func(dir string) {
			s = openRapid(t, dir, keep0)
			feeds = nil
			for _, name := range []string{"a", "b"} {
				f := &feed{name: name, wall: wall}
				feeds = append(feeds, f)
				s.AddSource(name, MemoryAndDisk, f)
			}
		}
		start(dir)
		defer func() { s.Close() }()
		n := 0
		check := func() {
			var got []modelBlock
			for _, e := range allRapid(t, s) {
				if e.Block != nil {
					got = append(got, modelBlock{e.Seq, string(e.Block.Payload(0))})
				}
			}
			for _, g := range got {
				if !slices.Contains(m.blocks, g) {
					t.Fatalf("block %v was never acknowledged, or is another's number", g)
				}
			}
			if !slices.IsSortedFunc(got, func(a, b modelBlock) int { return int(a.seq) - int(b.seq) }) {
				t.Fatalf("out of order: %v", got)
			}
			for _, want := range m.blocks {
				needed := false
				for _, need := range m.needs {
					at, ok := need.Next(want.seq)
					needed = needed || ok && at == want.seq
				}
				m.free[want.seq] = m.free[want.seq] || !needed
				if !m.free[want.seq] && !slices.Contains(got, want) {
					t.Fatalf("block %v was always needed and is gone; needs %v", want, m.needs)
				}
			}
			if s.LastTick() == nil && len(m.blocks) > 0 {
				t.Fatal("the newest tick is gone")
			}
			for stream, k := range m.results {
				if int(s.ResultEnd(stream))-1 != k {
					t.Fatalf("%s has %d results, want %d", stream, s.ResultEnd(stream)-1, k)
				}
			}
		}
		round := func() {
			if err := s.commitRound(false); err != nil {
				t.Fatal(err)
			}
			for len(s.acks) > 0 {
				f := <-s.acks
				f.tell()
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				f := rapid.SampledFrom(feeds).Draw(t, "feed")
				n++
				text := fmt.Sprint(n)
				if rapid.IntRange(0, 4).Draw(t, "big") == 0 {
					text += string(make([]byte, rapid.IntRange(0, 20000).Draw(t, "size")))
				}
				var b *edged.Block
				b = f.put(func(err error) {
					if err != nil {
						t.Fatal(err)
					}
					m.blocks = append(m.blocks, modelBlock{b.Seq, text})
				}, text)
				wall = max(wall, f.wall)
			},
			"round": func(*rapid.T) { round() },
			"cursor": func(t *rapid.T) {
				name := rapid.SampledFrom([]string{"x", "y"}).Draw(t, "cursor")
				need := edged.SpansFrom(rapid.Uint64Range(0, s.End()).Draw(t, "from"))
				if rapid.Bool().Draw(t, "skips") {
					need = edged.Spans{{From: need[0].From, To: s.End()}}.Remove(need[0].From+1, need[0].From+3).Add(s.End(), edged.Forever)
				}
				s.Submit(&edged.Update{Cursors: []edged.Cursor{{Name: name, Need: need}}}, false, func(err error) {
					if err == nil {
						m.needs[name] = need
					}
				})
				delete(m.needs, name) // in between it may be either
				s.freed = time.Time{}
				round()
			},
			"result": func(t *rapid.T) {
				stream := rapid.SampledFrom([]string{"p", "q"}).Draw(t, "stream")
				s.Submit(&edged.Update{Results: []edged.Result{{Stream: stream, Data: []byte("x")}}, Cursors: []edged.Cursor{{Name: "of-" + stream, Log: stream, Need: edged.SpansFrom(1)}}}, false, func(err error) {
					if err == nil {
						m.results[stream]++
					}
				})
				round()
			},
			"crash": func(t *rapid.T) {
				dir := snapshotRapid(t, s)
				dirs = append(dirs, dir)
				s.Close()
				start(dir)
			},
			"restart": func(t *rapid.T) {
				round()
				s.Close()
				start(dirs[len(dirs)-1])
			},
			"": func(*rapid.T) { check() },
		})
	})
}

func openRapid(t *rapid.T, dir string, change func(*Config)) *Store {
	c := Default()
	c.MaxBytes = 32 << 20
	change(c)
	s, err := Open(dir, c, quiet, newSet())
	if err != nil {
		t.Fatal(err)
	}
	s.reserved.never = true // as open does
	return s
}

func allRapid(t *rapid.T, s *Store) []edged.Entry {
	var out []edged.Entry
	for seq := uint64(0); ; {
		e, ok, err := s.Next(seq)
		if err != nil || e.Err != nil {
			t.Fatal(err, e.Err)
		}
		if !ok {
			return out
		}
		out = append(out, e)
		seq = e.Seq + 1
	}
}

func snapshotRapid(t *rapid.T, s *Store) string {
	dir, err := os.MkdirTemp("", "edged-model-")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.path)
	if err == nil {
		err = os.WriteFile(dir+"/"+FileName, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
