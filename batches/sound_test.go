package batches

import (
	"fmt"
	"reflect"
	"testing"

	"edged"
	"edged/batches/decode"
	"edged/internal/conf"
)

// counting is a decoder that counts the payloads that it reads.
type counting struct {
	decode.Decoder
	n *int
}

func (c counting) Decode(payload []byte, cols []edged.Value) (int, error) {
	*c.n++
	return c.Decoder.Decode(payload, cols)
}

// A delivery of payloads as they came reads those again only where there is poison among them, or where the stream has not read them since the start;
// the rows are the same.
func TestADeliveryBelievesTheStream(t *testing.T) {
	for _, x := range []struct {
		name, where string
		blind       bool
	}{{"as they came", "", true}, {"filtered by a column", "value > 1", false}} {
		c := pinsConfig()
		c.Where, c.GroupBy, c.Window, c.Aggregate = x.where, conf.Pairs{}, "", conf.Pairs{}
		p := mustPlan(t, c)
		inner, read := p.decode.New, 0
		p.decode.New = func(paths [][]string) decode.Decoder { return counting{inner(paths), &read} }
		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		for i := range 100 {
			payload := fmt.Sprintf(`{"value":%d,"text":"a`+"\u00fc"+`"}`, i%4)
			if i%10 == 9 {
				payload = `{"value":`
			}
			m.addBlock(blockOf("a", edged.Instant{Wall: 100 * sec}, msg{"site/1/gpio/1", payload, sec}, msg{"other", "x", sec}, msg{"site/2/gpio/1", " {\n\"value\":2}\r\n", sec}))
			m.addTick("a", edged.Instant{Wall: 100 * sec})
		}
		step(t, s)
		m.ride(s)
		if s.rec.Dead != 10 {
			t.Fatalf("%s: %+v", x.name, s.rec.Counts)
		}
		later := newStream(c, p, m)
		open(t, later)
		all := func(s *Stream) *edged.Rows {
			f := s.Feed()
			from, err := f.Oldest()
			if err != nil {
				t.Fatal(err)
			}
			read = 0
			r, err := f.Read(from, f.End(), edged.Limits{Rows: 1000, Bytes: 1 << 20})
			if err != nil || r.To != f.End() {
				t.Fatal(r.To, err)
			}
			return r.Rows
		}
		rows := all(s)
		if want := map[bool]int{true: 10 * 2, false: 200}[x.blind]; read != want {
			t.Errorf("%s: %d payloads were read again, want %d", x.name, read, want)
		}
		again := all(later)
		if read != 200 {
			t.Errorf("%s: after a restart %d payloads were read, want all 200", x.name, read)
		}
		if rows.Len() == 0 || !reflect.DeepEqual(rows, again) {
			t.Errorf("%s: %d rows, after a restart %d others", x.name, rows.Len(), again.Len())
		}
	}
}

// Where a kind of decoder says that it is plain, what it shows needs no reading.
func TestPlainDecodersShowThePayloadAlone(t *testing.T) {
	plain := 0
	for _, k := range Decoders {
		kind := k.New()
		if !kind.Plain {
			continue
		}
		plain++
		if kind.Many {
			t.Errorf("%s has many rows", k.Name)
		}
		for _, payload := range []string{"1", " [1,\r\n2] ", `"a"`, "21.5\n"} {
			read, not := kind.New(nil), kind.New(nil)
			if n, err := read.Decode([]byte(payload), nil); n != 1 || err != nil {
				t.Errorf("%s: %q has %d rows, %v", k.Name, payload, n, err)
			}
			if a, b := read.Payload([]byte(payload)), not.Payload([]byte(payload)); a != b {
				t.Errorf("%s shows %+v, unread %+v", k.Name, a, b)
			}
		}
	}
	if plain < 3 {
		t.Errorf("%d kinds are plain", plain)
	}
}
