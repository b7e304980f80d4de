package edged

import "testing"

// Rows in the memory of others hold nothing of those.
func TestRowsInTheMemoryOfOthersHoldNothingOfThem(t *testing.T) {
	names := []string{"a", "b"}
	fill := func(r *Rows, n int) *Rows {
		for i := range n {
			r.Cells = append(r.Cells, TextValue("old"), TextValue("old"))
			r.At = append(r.At, Pos{Seq: uint64(i)})
		}
		return r
	}
	r := fill((*Rows)(nil).Again("s", names), 100)
	for _, n := range []int{40, 0, 10, 200, 3} {
		r = r.Again("s", names)
		for range n {
			r.Cells = append(r.Cells, NumberValue(1), NumberValue(2))
			r.At = append(r.At, Pos{})
		}
		r.Forget()
		for i, v := range r.Cells[:cap(r.Cells)] {
			if v.Kind() == Text {
				t.Fatalf("%d rows: cell %d still has a text of before", n, i)
			}
		}
	}
}
