package blockstore

import (
	"context"
	"fmt"
	"math/rand/v2"
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

// TestModel runs random sequences of put, round, deliver, forget, crash, restart and power cuts in the middle of a commit against the model: what was
// acknowledged and is needed is read back in order; what nobody needs may go; a commit that the power interrupted is there as a whole
// or not at all; nothing else appears.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := quickDir()
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
		shelf := shelf{most: rapid.IntRange(0, 12).Draw(t, "at the top"), step: rapid.IntRange(1, 12).Draw(t, "moved")}
		var s *Store
		var feeds []*feed
		var disk *faultyDisk
		wall := int64(0)
		failing := false
		var maybe []modelBlock // of the commit that failed
		start := func(dir string) {
			s = openRapid(t, dir, keep0)
			s.shelf = shelf
			disk = watch(s)
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
			if err := s.Verify(context.Background(), func(bad string) { t.Fatal(bad) }); err != nil {
				t.Fatal(err)
			}
		}
		round := func() {
			if err := s.commitRound(false); err != nil && !failing {
				t.Fatal(err)
			}
		}
		put := func(t *rapid.T) {
			f := rapid.SampledFrom(feeds).Draw(t, "feed")
			n++
			text := fmt.Sprint(n)
			if rapid.IntRange(0, 4).Draw(t, "big") == 0 {
				size := rapid.IntRange(0, 20000).Draw(t, "size")
				if text += noise(size); rapid.Bool().Draw(t, "much alike") {
					text = fmt.Sprint(n) + string(make([]byte, size))
				}
			}
			var b *edged.Block
			b = f.put(func(err error) {
				switch {
				case err == nil:
					m.blocks = append(m.blocks, modelBlock{b.Seq, text})
				case failing:
					maybe = append(maybe, modelBlock{b.Seq, text})
				default:
					t.Fatal(err)
				}
			}, text)
			wall = max(wall, f.wall)
		}
		given := func(t *rapid.T) (*edged.Block, func(error)) { // of a chained stream
			n++
			text := fmt.Sprint("given ", n)
			b := givenBlock("p", text, wall)
			return b, func(err error) {
				switch {
				case err == nil:
					m.blocks = append(m.blocks, modelBlock{b.Seq, text})
				case failing:
					maybe = append(maybe, modelBlock{b.Seq, text})
				default:
					t.Fatal(err)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"put":   put,
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
				b, done := given(t)
				s.Submit(&edged.Update{Blocks: []*edged.Block{b}, Results: []edged.Result{{Stream: stream, Data: []byte("x")}}, Cursors: []edged.Cursor{{Name: "of-" + stream, Log: stream, Need: edged.SpansFrom(1)}}}, false, func(err error) {
					if done(err); err == nil {
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
			"power": func(t *rapid.T) {
				for range rapid.IntRange(0, 2).Draw(t, "puts") {
					put(t)
				}
				need := edged.SpansFrom(rapid.Uint64Range(0, s.End()).Draw(t, "from"))
				old, had := m.needs["x"]
				b, done := given(t)
				s.Submit(&edged.Update{
					Blocks:  []*edged.Block{b},
					Cursors: []edged.Cursor{{Name: "x", Need: need}, {Name: "of-p", Log: "p", Need: edged.SpansFrom(1)}}, Results: []edged.Result{{Stream: "p", Data: []byte("x")}},
				}, false, func(err error) {
					if done(err); err == nil {
						m.needs["x"] = need
						m.results["p"]++
					}
				})
				s.freed = time.Time{}
				disk.settle() // the last commit has returned
				disk.failAt, failing, maybe = disk.writes+rapid.IntRange(1, 12).Draw(t, "write"), true, nil
				delete(m.needs, "x")
				round()
				interrupted := disk.hit
				if !interrupted {
					disk.settle()
				}
				dirs = append(dirs, disk.cut(t, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "dice"), 0))))
				s.Close()
				failing = false
				start(dirs[len(dirs)-1])
				if !interrupted {
					return
				}
				there := int(s.ResultEnd("p"))-1 > m.results["p"]
				for _, b := range maybe {
					e, ok, err := s.Next(b.seq)
					if err != nil || (ok && e.Block != nil && e.Seq == b.seq) != there {
						t.Fatalf("of a commit that the power interrupted the result is there: %v; its block %d is not the same (%v)", there, b.seq, err)
					}
				}
				if there {
					m.blocks = append(m.blocks, maybe...)
					m.needs["x"] = need
					m.results["p"]++
				} else if had {
					m.needs["x"] = old
				}
				if c, ok := s.Cursor("x"); ok != (there || had) || ok && !slices.Equal(c.Need, m.needs["x"]) {
					t.Fatalf("the cursor is %v, want %v", c.Need, m.needs["x"])
				}
			},
			"restart": func(*rapid.T) {
				round()
				s.Close()
				start(dirs[len(dirs)-1])
			},
			"": func(*rapid.T) { check() },
		})
	})
}
