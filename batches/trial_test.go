package batches

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/internal/rowcodec"

	"pgregory.net/rapid"
)

// gathered are rows as texts, each with the names of its columns.
type gathered []string

func (g *gathered) take(r *edged.Rows) error {
	for i := range r.Len() {
		*g = append(*g, fmt.Sprint(r.Names, r.Row(i)))
	}
	return nil
}

// drawBlocks makes the blocks of a gateway with two receivers on one clock, which is set now and then: a block of one can be stored after a
// younger one of the other.
func drawBlocks(t *rapid.T) (blocks []*edged.Block) {
	now := edged.Instant{Wall: 1000 * sec}
	for range rapid.IntRange(1, 25).Draw(t, "blocks") {
		now.Wall += rapid.SampledFrom([]int64{0, sec, 3 * sec, 20 * sec}).Draw(t, "rest")
		if rapid.IntRange(0, 20).Draw(t, "set") == 0 {
			now = edged.Instant{Epoch: now.Epoch + 1, Wall: now.Wall - rapid.Int64Range(0, 3600*sec).Draw(t, "back")}
		}
		at := now.Wall - rapid.SampledFrom([]int64{0, 2 * sec, 5 * sec}).Draw(t, "behind")
		var msgs []msg
		for range rapid.IntRange(1, 4).Draw(t, "messages") {
			at += rapid.SampledFrom([]int64{0, 1, sec, 2 * sec}).Draw(t, "gap")
			payload := fmt.Sprintf(`{"value":%d,"kind":%q,"ts":%d}`, rapid.IntRange(-60, 60).Draw(t, "value"), rapid.SampledFrom([]string{"x", "y"}).Draw(t, "kind"),
				at/1e6+rapid.Int64Range(-30000, 90000).Draw(t, "skew"))
			if rapid.IntRange(0, 9).Draw(t, "poison") == 0 {
				payload = "poison"
			}
			topic := rapid.SampledFrom([]string{"site/1/gpio/1", "site/2/gpio/1", "site/1/gpio/2", "other"}).Draw(t, "topic")
			msgs = append(msgs, msg{topic, payload, at})
		}
		now.Wall = max(now.Wall, at)
		b := blockOf(rapid.SampledFrom([]string{"a", "b", "a", "b", "c"}).Draw(t, "receiver"), edged.Instant{Epoch: now.Epoch, Wall: at}, msgs...)
		b.Trusted = rapid.IntRange(0, 9).Draw(t, "trusted") > 0
		blocks = append(blocks, b)
	}
	return blocks
}

// A trial of the messages of a log gives the rows that the stream gave of it, in the same order, whatever the stream does; what is open at the end
// leaves as at a change of the definition.
func TestATrialGivesWhatTheStreamGave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		c.EmitEvery, c.Expire = 0, 0 // the trial lets time pass at its end: early results follow it, and whether the last session has ended
		if strings.HasPrefix(c.Window, "session") {
			c.Window = "count 3"
		}
		c.Idle = 0 // it follows the ticks, which an export does not have
		if rapid.IntRange(0, 4).Draw(t, "stateless") == 0 {
			c.Window, c.Aggregate, c.GroupBy, c.Having, c.Changed, c.Deadband, c.Throttle, c.Sample, c.Select = "", nil, nil, "", "", "", 0, 0, nil
			c.Where = "value > -40"
		}
		p := mustPlan(t, c)
		blocks := drawBlocks(t)

		m := newMemStore(p)
		s := newStream(c, p, m)
		open(t, s)
		high := edged.Instant{}
		for _, b := range blocks {
			if high = later(high, b.Cut); b.Cut.Epoch == high.Epoch {
				b.Cut.Wall = b.Arrival[0] - 10*sec // as a log that knows of both receivers: nothing older comes
			}
			m.addBlock(b)
			step(t, s)
		}
		for _, r := range []string{"a", "b"} {
			m.addTick(r, high)
		}
		step(t, s)
		if s.st != nil {
			s.st.closeAll(&s.out)
			s.produced()
			s.out.entryEnd(s.rec.applied, s.wm.now())
			if err := s.settle(t.Context(), false); err != nil {
				t.Fatal(err)
			}
		}
		var want, got gathered
		readAll(t, s, &want)

		tr, err := NewTrial(c, p, time.Time{}, got.take)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks {
			for i := range b.Len() {
				taken := &Taken{Message: edged.Message{Topic: b.TopicOf(i), Payload: b.Payload(i), QoS: b.QoS(i), Retain: b.Retain(i)},
					Receiver: b.Receiver, At: edged.Instant{Epoch: b.Cut.Epoch, Wall: b.Arrival[i]}, Trusted: b.Trusted, Block: b.Seq}
				if err := tr.Add(taken); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := tr.End(time.Time{}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("the trial gave\n%s\nthe stream\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		is := tr.Tried()
		if is.Counts != s.rec.Counts || is.Rows != uint64(len(want)) || is.Read != is.Other+is.passed() {
			t.Fatalf("the trial counts %+v, the stream %+v", is, s.rec.Counts)
		}
		if tr.store.End() != tr.store.first {
			t.Fatalf("the trial still holds %d entries", len(tr.store.log))
		}
	})
}

func readAll(t fataler, s *Stream, into *gathered) {
	if s.st == nil {
		f := s.Feed()
		at, err := f.Oldest()
		for err == nil && at != f.End() {
			var r edged.Reading
			if r, err = f.Read(at, f.End(), edged.Limits{Rows: 1000, Bytes: 1 << 30}); err == nil {
				at = r.To
				_ = into.take(r.Rows)
			}
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
		return
	}
	for _, r := range s.o.Store.(*memStore).results["pins"] {
		rows, err := rowcodec.Decode(r.Data, r.Seq, r.Rows)
		if err != nil {
			t.Fatalf("%v", err)
		}
		_ = into.take(rows)
	}
}

func try(t *testing.T, c *StreamConfig, since, until time.Time, msgs ...msg) (gathered, Tried) {
	t.Helper()
	var got gathered
	tr, err := NewTrial(c, mustPlan(t, c), since, got.take)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range msgs {
		if err := tr.Add(&Taken{Message: edged.Message{Topic: m.topic, Payload: []byte(m.payload)}, Receiver: "a", At: edged.Instant{Wall: m.at}, Trusted: true}); err != nil {
			t.Fatal(err)
		}
	}
	if err := tr.End(until); err != nil {
		t.Fatal(err)
	}
	return got, tr.Tried()
}

// A window that began before the first message that there is says that it is partial, and so does one that had not ended.
func TestATrialMarksWhatItDoesNotHaveAll(t *testing.T) {
	c := pinsConfig()
	c.GroupBy, c.Aggregate = nil, conf.Pairs{{Key: "n", Value: "count()"}}
	msgs := []msg{
		{"site/1/gpio/1", `{"value":1}`, 1005 * sec}, {"site/1/gpio/1", `{"value":1}`, 1012 * sec}, {"site/1/gpio/1", `{"value":1}`, 1021 * sec},
	}
	partial := func(g gathered) (out []bool) {
		for _, row := range g {
			out = append(out, strings.HasSuffix(row, fmt.Sprint(edged.BoolValue(true), "]")))
		}
		return out
	}
	got, _ := try(t, c, time.Time{}, time.Time{}, msgs...)
	if is := partial(got); !slices.Equal(is, []bool{false, false, true}) {
		t.Errorf("of a file: %v, %v", is, got)
	}
	got, _ = try(t, c, time.Unix(1004, 0), time.Time{}, msgs...)
	if is := partial(got); !slices.Equal(is, []bool{true, false, true}) {
		t.Errorf("of the last minutes: %v, %v", is, got)
	}
	got, _ = try(t, c, time.Unix(1000, 0), time.Unix(1031, 0), msgs...)
	if is := partial(got); !slices.Equal(is, []bool{false, false, false}) {
		t.Errorf("until later: %v, %v", is, got)
	}
}

// While no rows come, windows by event time close after idle, and a row that comes then is late: as in a gateway.
func TestATrialKnowsTheTimeThatPassesBetweenMessages(t *testing.T) {
	c := pinsConfig()
	c.Time, c.AllowedLateness, c.Idle = "ts", 0, conf.Duration(10*time.Second)
	at := func(ts, arrival int64) msg {
		return msg{"site/1/gpio/1", fmt.Sprintf(`{"value":1,"kind":"x","ts":%d}`, ts*1000), arrival * sec}
	}
	if _, is := try(t, c, time.Time{}, time.Time{}, at(1000, 1000), at(1001, 1015)); is.Late != 0 {
		t.Errorf("15 s of rest close a window that has 9 s to go after an idle time of 10 s: %+v", is)
	}
	if _, is := try(t, c, time.Time{}, time.Time{}, at(1000, 1000), at(1001, 1025)); is.Late != 1 {
		t.Errorf("25 s of rest do not: %+v", is)
	}
}

func TestATrialSaysWhyMessagesAreDead(t *testing.T) {
	c := pinsConfig()
	var msgs []msg
	for i := range int64(3000) {
		msgs = append(msgs, msg{fmt.Sprintf("site/%d/gpio/1", i%7), "poison", 1000*sec + i})
	}
	got, is := try(t, c, time.Time{}, time.Time{}, msgs...)
	if len(got) != 0 || is.Dead != 3000 || len(is.Reasons) != trialReasons || !strings.HasPrefix(is.Reasons[0], "site/0/gpio/1: not json: ") {
		t.Errorf("%d rows, %+v", len(got), is)
	}
}

func TestATrialEndsWhenItsRowsAreRefused(t *testing.T) {
	c := pinsConfig()
	enough := errors.New("enough")
	tr, err := NewTrial(c, mustPlan(t, c), time.Time{}, func(*edged.Rows) error { return enough })
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Add(&Taken{Message: edged.Message{Topic: "site/1/gpio/1", Payload: []byte(`{"value":1}`)}, Receiver: "a", At: edged.Instant{Wall: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := tr.End(time.Time{}); !errors.Is(err, enough) {
		t.Errorf("the trial ended with %v", err)
	}
}
