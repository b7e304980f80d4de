package batches

import (
	"context"
	"errors"
	"slices"
	"testing"

	"edged"
	"edged/internal/rowcodec"
)

// torn is a store of which some values cannot be read.
type torn struct {
	*memStore
	bad map[string]bool // space + " " + the first byte of the key
}

func (s torn) Values(space string, each func(string, []byte, error) error) error {
	return s.memStore.Values(space, func(key string, value []byte, err error) error {
		if s.bad[space+" "+key[:1]] {
			return each(key, nil, errors.New("checksum does not match"))
		}
		return each(key, value, err)
	})
}

// anEraLater is a store that has begun a new era: the next result's number is far above the last one's.
type anEraLater struct{ *memStore }

func (s anEraLater) ResultEnd(stream string) uint64 {
	return 1<<edged.EraShift | s.memStore.ResultEnd(stream)
}

// scene is a windowed stream that has given one window, holds another, and is at its end.
func scene(t *testing.T) (c *StreamConfig, p *Plan, m *memStore) {
	c = pinsConfig()
	c.From, c.Where = []string{"a"}, ""
	p = mustPlan(t, c)
	m = newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	feedBlock(m, 901*sec, `{"value":1,"kind":"x"}`)
	m.addTick("a", edged.Instant{Wall: 911 * sec})
	step(t, s)
	feedBlock(m, 921*sec, `{"value":2,"kind":"x"}`)
	m.addTick("a", edged.Instant{Wall: 922 * sec})
	step(t, s)
	if err := s.checkpoint(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := len(m.results["pins"]); n != 1 {
		t.Fatalf("%d results", n)
	}
	return c, p, m
}

// finish opens the stream on what is left, lets the second window end, and returns its rows and the stream.
func finish(t *testing.T, c *StreamConfig, p *Plan, m *memStore, store Store) (*Stream, []string) {
	t.Helper()
	s := newStream(c, p, m)
	s.o.Store = store
	open(t, s)
	m.addTick("a", edged.Instant{Wall: 1000 * sec})
	step(t, s)
	if st := s.Status(); !st.Balanced || st.Pending != 0 {
		t.Errorf("the ledger does not balance: %+v", st)
	}
	return s, outcome(t, m)
}

func TestALostStreamGoesOnWhereTheRestSays(t *testing.T) {
	c, p, m := scene(t)
	_, want := finish(t, c, p, m, m)
	for name, damage := range map[string]func(m *memStore) Store{
		"cursor": func(m *memStore) Store {
			m.cursors["stream/pins"] = edged.Cursor{Name: "stream/pins", Need: edged.SpansFrom(0), Lost: true}
			return m
		},
		"an older cursor": func(m *memStore) Store {
			old := record{applied: 1, checkpoint: 1}
			m.cursors["stream/pins"] = old.cursor("pins")
			return m
		},
		"definition": func(m *memStore) Store { return torn{m, map[string]bool{"definitions p": true}} },
		"totals": func(m *memStore) Store { // the newest tick that can be read is from before
			m.totals["pins"] = 0
			m.tick.Routed[0].Routed = 0
			return m
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, p, m := scene(t)
			_, got := finish(t, c, p, m, damage(m))
			if !slices.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

// The cursor is an older copy, the saved windows are gone, and a new era has begun: the newest result that is there says how far the stream was, though its number is far from
// the end. It is not given again, and who has counted it is told to count anew.
func TestTheNewestResultSaysHowFarAStreamWas(t *testing.T) {
	c, p, m := scene(t)
	old := record{applied: 1, checkpoint: 1}
	m.cursors["stream/pins"] = old.cursor("pins")
	delete(m.values, spaceState+"pins")
	given := m.results["pins"][0]
	s, _ := finish(t, c, p, m, anEraLater{m})
	if rs := m.results["pins"]; len(rs) != 2 || rs[1].Cause <= given.Cause || s.Feed().Life() == old.life {
		t.Errorf("%+v, life %d", rs, s.Feed().Life())
	}
}

// A sink that comes with a reload finds a stream that has given rows since it opened, and may have passed them before: they are no sign of a loss.
func TestAFeedOfAStreamThatRuns(t *testing.T) {
	c, p, m := scene(t)
	s := newStream(c, p, m)
	early := s.Feed()
	open(t, s)
	before := early.Produced()
	m.addTick("a", edged.Instant{Wall: 1000 * sec})
	step(t, s)
	late := s.Feed()
	if n := late.Produced(); n <= before || early.Resumed() != before || late.Resumed() != n {
		t.Errorf("%d rows, then %d; resumed with %d, and %d for who came later", before, n, early.Resumed(), late.Resumed())
	}
}

// What of a window's state is lost is missing from its result, and that says partial.
func TestATornWindowSaysPartial(t *testing.T) {
	for name, bad := range map[string]string{"groups": "state/pins g", "header": "state/pins h"} {
		t.Run(name, func(t *testing.T) {
			c, p, m := scene(t)
			feedBlock(m, 923*sec, `{"value":3,"kind":"y"}`)
			s, _ := finish(t, c, p, m, torn{m, map[string]bool{bad: true}})
			last := m.results["pins"][len(m.results["pins"])-1]
			rows, err := rowcodec.Decode(last.Data, last.Seq, last.Rows)
			if err != nil || rows.Len() == 0 || len(m.results["pins"]) != 2 {
				t.Fatalf("%d results, %+v, %v", len(m.results["pins"]), rows, err)
			}
			if v := rows.Row(0)[len(rows.Names)-1]; v.Kind() != edged.Bool || !v.Bool() {
				t.Errorf("partial is %v", v)
			}
			if err := s.checkpoint(context.Background()); err != nil { // what could not be read is replaced
				t.Fatal(err)
			}
			for key := range m.values["state/pins"] {
				if key[0] != 'h' {
					t.Errorf("left over: %q", key)
				}
			}
		})
	}
}
