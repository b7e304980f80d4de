package batches

import (
	"context"
	"fmt"
	"reflect"
	"strings"
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

// A stream that passes payloads on as they came reads none that another stream has read, but those of entries with poison in them, or with messages that are not the other's; what becomes of
// each is the same.
func TestAStreamBelievesAnother(t *testing.T) {
	windows := pinsConfig()
	raw := pinsConfig()
	raw.Name, raw.Topics, raw.Where, raw.GroupBy, raw.Window, raw.Aggregate = "raw", []string{"#"}, "", conf.Pairs{}, "", conf.Pairs{}
	pw, pr := mustPlan(t, windows), mustPlan(t, raw)
	inner, read := pr.decode.New, 0
	pr.decode.New = func(paths [][]string) decode.Decoder { return counting{inner(paths), &read} }
	for _, known := range []bool{true, false} {
		m := newMemStore(pw, pr)
		var sound Sound
		first, second := newStream(windows, pw, m), newStream(raw, pr, m)
		if known {
			first.o.Sound, second.o.Sound = &sound, &sound
		}
		read = 0
		open(t, first)
		open(t, second)
		for i := range 30 {
			msgs := []msg{{"site/1/gpio/1", `{"value":1}`, sec}, {"site/2/gpio/1", `{"value":2}`, sec}}
			switch i {
			case 7:
				msgs[1].payload = `{"value":`
			case 9:
				msgs = append(msgs, msg{"another", `{"value":`, sec})
			}
			m.addBlock(blockOf("a", edged.Instant{Wall: 100 * sec}, msgs...))
			m.addTick("a", edged.Instant{Wall: 100 * sec})
		}
		step(t, first)
		step(t, second)
		if want := map[bool]int{true: 2 + 3, false: 61}[known]; read != want {
			t.Errorf("known: %t; %d payloads were read, want %d", known, read, want)
		}
		if c := second.rec.Counts; c.Dead != 2 || c.Applied != 59 || c.Produced != 59 {
			t.Errorf("known: %t; %+v", known, c)
		}
	}
}

// What one stream has read stays known, however many entries without payloads another passes that has read none of it.
func TestTicksSayNothingByThemselves(t *testing.T) {
	var k Sound
	for seq := uint64(1); seq <= 10; seq++ {
		k.add("json", seq, seq%2 == 1)
	}
	for seq := uint64(12); seq < 1000; seq += 2 {
		k.add("json", seq, false)
	}
	k.add("json", 501, true)
	k.add("json", 502, false)
	for from, want := range map[uint64]uint64{1: 11, 11: 11, 12: 12, 501: 503, 503: 503} {
		if got := k.until("json", from); got != want {
			t.Errorf("from %d it is known until %d, want %d", from, got, want)
		}
	}
}

// A stream that follows another takes no more before the interval is over than that has read, unless that does not get on.
func TestAStreamFollowsAnother(t *testing.T) {
	windows := pinsConfig()
	raw := pinsConfig()
	raw.Name, raw.Where, raw.GroupBy, raw.Window, raw.Aggregate = "raw", "", conf.Pairs{}, "", conf.Pairs{}
	pw, pr := mustPlan(t, windows), mustPlan(t, raw)
	m := newMemStore(pw, pr)
	var sound Sound
	first, second := newStream(windows, pw, m), newStream(raw, pr, m)
	first.o.Sound, second.o.Sound = &sound, &sound
	open(t, first)
	open(t, second)
	large := `{"value":1,"x":"` + strings.Repeat("x", 100<<10) + `"}`
	add := func(n int) {
		for range n {
			m.addBlock(blockOf("a", edged.Instant{Wall: 100 * sec}, msg{"site/1/gpio/1", large, sec}))
		}
	}
	worth := func(want uint64, much bool) {
		t.Helper()
		if end, ok := second.worthTo(); ok != much || ok && end != want {
			t.Fatalf("to %d, %t; want %d, %t", end, ok, want, much)
		}
	}
	add(25)
	worth(m.End(), true)
	done := first.tells()
	worth(0, false)
	step(t, first)
	read := m.End()
	add(25)
	worth(read, true)
	if err := second.stepTo(context.Background(), read); err != nil || second.rec.applied != read {
		t.Fatalf("%d entries are applied, want %d (%v)", second.rec.applied, read, err)
	}
	worth(0, false)
	add(25)
	worth(m.End(), true)
	done()
	step(t, second)
	add(25)
	worth(m.End(), true)
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
