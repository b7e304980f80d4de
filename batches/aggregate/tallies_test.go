package aggregate

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"edged"

	"pgregory.net/rapid"
)

// With more values than have room: no count is too low, none too high by more than the part of the rows that is promised, what is not there was
// not more frequent than the floor says, and memory stays in its bounds. It holds for one stretch and for merged ones, and a state that was saved and
// loaded at any point is the same state, byte by byte.
func TestTalliesOfMoreThanHasRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.IntRange(1, 4000).Draw(t, "values")
		padding := strings.Repeat("x", rapid.SampledFrom([]int{0, 0, 50, 1000, 4000}).Draw(t, "length"))
		seed := rapid.Uint64().Draw(t, "seed")
		random := func(n int) int { // quicker than drawing each
			seed = seed*6364136223846793005 + 1442695040888963407
			return int(seed>>33) % n
		}
		truth := map[edged.Value]uint64{}
		rows := 0
		var all, stored tallies
		for range rapid.IntRange(1, 4).Draw(t, "panes") {
			var pane, again tallies
			n := rapid.IntRange(0, 2000).Draw(t, "rows")
			saved := rapid.IntRange(0, n).Draw(t, "saved at")
			for i := range n {
				v := edged.NumberValue(float64(random(1 + random(values))))
				if padding != "" {
					v = edged.TextValue(fmt.Sprint(v.Float()) + padding)
				}
				truth[v]++
				rows++
				pane.Add(v, 0)
				if i == saved {
					again = *reload(t, &again)
				}
				again.hand = 0 // it looks through all
				again.Add(v, 0)
			}
			all.merge(&pane)
			stored.merge(reload(t, &again))
		}
		if !bytes.Equal(all.AppendBinary(nil), stored.AppendBinary(nil)) {
			t.Fatalf("a state that was saved and loaded is another")
		}
		size := 0
		most := uint64(rows / maxTallies)
		if padding != "" {
			most = uint64(rows / (maxTallyBytes / (len(padding) + len("3999 true"))))
		}
		if len(padding) <= 50 {
			most = uint64(rows / (maxTallyBytes / 64))
		}
		for _, e := range all.all {
			size += len(e.v.Str())
			if e.n < truth[e.v] || e.n > truth[e.v]+most {
				t.Fatalf("%d of %v are counted as %d, of %d rows", truth[e.v], e.v, e.n, rows)
			}
		}
		for v, n := range truth {
			if _, ok := all.at[v]; !ok && n > all.floor {
				t.Fatalf("%v is not there, and came %d times; the floor is %d", v, n, all.floor)
			}
		}
		if len(all.all) != len(all.at) || len(all.all) > maxTallies || size > maxTallyBytes || size != all.bytes || all.floor > most {
			t.Fatalf("%d values of %d bytes (%d), %d found, floor %d of %d", len(all.all), size, all.bytes, len(all.at), all.floor, most)
		}
		if len(truth) <= maxTallies && size < maxTallyBytes-4100 && all.floor > 0 {
			t.Fatalf("all had room, and one was counted out")
		}
	})
}

func reload(t fataler, a *tallies) *tallies {
	b := new(tallies)
	if err := b.UnmarshalBinary(a.AppendBinary(nil)); err != nil {
		t.Fatalf("%v", err)
	}
	return b
}

// What comes often is found among a great many that come once.
func TestTopOfManyValues(t *testing.T) {
	a := with(TopK, num(2)).New()
	m := Mode.New()
	for i := range 50000 {
		v := edged.NumberValue(float64(1000 + i))
		if i%10 == 0 {
			v = edged.TextValue("often")
		} else if i%20 == 1 {
			v = edged.TextValue("less")
		}
		a.Add(v, 0)
		m.Add(v, 0)
	}
	if got := a.Result(edged.Window{}, nil).Str(); !strings.HasPrefix(got, `[{"value":"often","count":5`) || !strings.Contains(got, `{"value":"less","count":2`) {
		t.Error(got)
	}
	if got := m.Result(edged.Window{}, nil); got != edged.TextValue("often") {
		t.Error(got)
	}
}

// A value that has no room ends what is collected, however the rows are cut into panes.
func TestCollectIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := with(Collect, num(float64(rapid.IntRange(1, 1000).Draw(t, "n"))))
		whole, merged, pane := k.New(), k.New(), k.New()
		for range rapid.IntRange(0, 60).Draw(t, "rows") {
			v := edged.TextValue(strings.Repeat("x", rapid.SampledFrom([]int{0, 1, 100, 4000, 20000, 40000}).Draw(t, "length")))
			whole.Add(v, 0)
			pane.Add(v, 0)
			if rapid.Bool().Draw(t, "next pane") {
				merged.Merge(reloaded(t, k, pane))
				pane = k.New()
			}
		}
		merged.Merge(pane)
		if a, b := whole.AppendBinary(nil), merged.AppendBinary(nil); !bytes.Equal(a, b) || len(a) > maxCollectBytes+10*maxCollected {
			t.Fatalf("the whole takes %d bytes, its panes %d", len(a), len(b))
		}
	})
}

// A text belongs to its decoder, which writes the next one into the same memory.
func TestTextsAreCopied(t *testing.T) {
	for name, want := range map[string]string{
		"first": "aa", "last": "cc", "mode": "aa", "top_k": `[{"value":"aa","count":2},{"value":"bb","count":1},{"value":"cc","count":1}]`, "collect": `["aa","aa","bb","cc"]`,
	} {
		a := kinds[name].New()
		memory := make([]byte, 2)
		for _, s := range []string{"aa", "aa", "bb", "cc", "  "} {
			copy(memory, s)
			if s != "  " {
				a.Add(edged.TextValue(unsafe.String(&memory[0], 2)), 0)
			}
		}
		if got := a.Result(edged.Window{}, nil).Str(); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
