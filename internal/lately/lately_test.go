package lately

import (
	"testing"

	"pgregory.net/rapid"
)

// Each time that it is over, most is the largest need since the time before; it is over once in Rounds.
func TestTheLargestOfTheLatest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Most
		most := 0
		for i, need := range rapid.SliceOfN(rapid.IntRange(0, 1000), 1, 4*Rounds).Draw(t, "needs") {
			most = max(most, need)
			got, over := m.Note(need)
			if got != most || over != ((i+1)%Rounds == 0) {
				t.Fatalf("round %d: %d, %t; it was %d", i, got, over, most)
			}
			if over {
				most = 0
			}
		}
	})
}
