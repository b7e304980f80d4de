package intake

import (
	"testing"

	"pgregory.net/rapid"
)

func TestIDsAreAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var have idTable
		want := map[uint16]known{}
		step := rapid.SampledFrom([]uint16{1, 8, 64, 4096}).Draw(t, "step") // those of the larger ones collide
		id := rapid.Custom(func(t *rapid.T) uint16 {
			return max(1, rapid.Uint16Range(0, 40).Draw(t, "n")*step+rapid.Uint16Range(0, 3).Draw(t, "by"))
		})
		for token := range uint64(rapid.IntRange(1, 200).Draw(t, "steps")) {
			id := id.Draw(t, "id")
			_, known1 := want[id]
			if rapid.Bool().Draw(t, "put") {
				if have.put(id, known{token: token}) == known1 {
					t.Fatalf("%d: known before: %v", id, known1)
				}
				want[id] = known{token: token}
			} else {
				if have.remove(id) != known1 {
					t.Fatalf("%d: removed, known before: %v", id, known1)
				}
				delete(want, id)
			}
			if have.len() != len(want) {
				t.Fatalf("%d are known of %d", have.len(), len(want))
			}
			for id, k := range want {
				if got := have.get(id); got == nil || *got != k {
					t.Fatalf("%d: %v, not %v", id, got, k)
				}
			}
			used := 0
			for _, s := range have.slots {
				if s.id != 0 {
					used++
					if _, ok := want[s.id]; !ok {
						t.Fatalf("%d is still there", s.id)
					}
				}
			}
			if used != len(want) {
				t.Fatalf("%d slots are in use for %d", used, len(want))
			}
		}
	})
}

func TestEveryIDFits(t *testing.T) {
	var have idTable
	for round := range 2 {
		for id := 1; id <= 65535; id++ {
			have.put(uint16(id), known{token: uint64(id)})
		}
		for id := 1; id <= 65535; id++ {
			if k := have.get(uint16(id)); k == nil || k.token != uint64(id) {
				t.Fatalf("round %d: %d: %v", round, id, k)
			}
			have.remove(uint16(id))
		}
		if have.len() > 0 || have.slots != nil {
			t.Fatalf("%d, %d", have.len(), len(have.slots))
		}
	}
}
