package delivery

import (
	"encoding/json"
	"reflect"
	"testing"

	"edged"
)

// A record that is damaged in a way that its checksum does not see is refused, or is a record like any other.
func FuzzRecord(f *testing.F) {
	r := record{At: place{Seq: 7, Off: 2}, Born: place{Seq: 3}, Young: true, Base: 5, Skip: edged.Spans{{From: 8, To: 9}}, Max: 1 << 20}
	f.Add(r.cursor("delivery/raw/archive").Data)
	sink := sinkRecord{Receipt: []byte("x"), Turn: []part{{Stream: "raw", From: place{Seq: 1}, To: place{Seq: 2}, Encoder: "e", Rows: 1}}}
	f.Add(sink.cursor("archive").Data)
	f.Add([]byte(`{"skip":[{"From":9,"To":1},{"From":0,"To":18446744073709551615}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := readRecord(edged.Cursor{Name: "x", Data: b})
		if err == nil {
			c := r.cursor("x")
			if again, err := readRecord(c); err != nil || !reflect.DeepEqual(again, r) && len(r.Skip) > 0 {
				t.Fatalf("%+v is read as %+v, %v", r, again, err)
			}
			c.Need.Next(r.At.Seq)
			r.after(r.At.place())
		}
		var s sinkRecord
		if json.Unmarshal(b, &s) == nil {
			s.cursor("x")
			for _, p := range s.Turn {
				key("uuid", "x", p)
			}
		}
	})
}
