package delivery

import (
	"reflect"
	"testing"

	"edged"
)

// What is zero is left out: a kilobyte has to do for the cursors of a usual gateway. Nothing else is.
func TestARecordIsShort(t *testing.T) {
	usual := record{At: place{Log: "pins", Seq: 123456789}, Born: place{Log: "pins", Seq: 1}, Max: 1 << 30, Counts: Counts{Delivered: 123456789}}
	if c := usual.cursor("d"); len(c.Data) > 125 {
		t.Errorf("%d bytes: %s", len(c.Data), c.Data)
	}
	full := record{At: place{Log: "a", Seq: 9, Off: 2}, Born: place{Log: "b", Seq: 3, Off: 4}, Young: true, Base: 5, Old: 6, Skip: edged.Spans{{From: 10, To: 12}}, Life: 7, Max: 8,
		Counts: Counts{Delivered: 11, Dead: 12, Dropped: 13, Damaged: 14}}
	for _, r := range []record{usual, full, {}} {
		if again, err := readRecord(r.cursor("d")); err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("%+v became %+v, %v", r, again, err)
		}
	}
}
