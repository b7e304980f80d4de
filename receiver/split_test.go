package receiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"edged"

	"pgregory.net/rapid"
)

func byLines(o *Options) { o.Split = "lines" }

// linesOf is what split = "lines" promises, said in another way.
func linesOf(payload string) (lines []string) {
	for _, l := range strings.Split(payload, "\n") {
		if l = strings.TrimSuffix(l, "\r"); l != "" {
			lines = append(lines, l)
		}
	}
	if lines == nil {
		lines = []string{""}
	}
	return lines
}

func payloadsOf(blocks []*edged.Block) (all []string) {
	for _, b := range blocks {
		for i := range b.Len() {
			all = append(all, string(b.Payload(i)))
		}
	}
	return all
}

// However payloads, commits and failures come: lines are in order, those of one payload are in one block, and each payload is told
// once, with what became of the block that holds all of its lines.
func TestEveryPayloadIsItsLinesAndIsAcknowledgedOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		g, s := setup(byLines)
		g.to(Active)
		a := &acker{}
		var want []string
		wants := map[uint64][]string{}
		broken := errors.New("the disk")
		var good, bad []uint64
		waiting := []uint64{}
		commit := func(err error) {
			s.commit(err)
			if err == nil {
				good = append(good, waiting...)
				for _, token := range waiting {
					want = append(want, wants[token]...)
				}
			} else {
				bad = append(bad, waiting...)
			}
			waiting = waiting[:0]
		}
		for token := range uint64(rapid.IntRange(1, 20).Draw(r, "payloads")) {
			payload := rapid.StringMatching(`([abc]{0,3}\r?\n|\r|x){0,8}`).Draw(r, "payload")
			m := &edged.Message{Topic: "t", Payload: []byte(payload), QoS: 2, Origin: edged.Origin{Client: "c", PacketID: uint16(token), Copies: 1}}
			if err := g.Handler().Take(context.Background(), m, a, token); err != nil {
				r.Fatal(err)
			}
			for i := range m.Payload {
				m.Payload[i] = '!' // it is the caller's again
			}
			wants[token] = linesOf(payload)
			waiting = append(waiting, token)
			switch rapid.IntRange(0, 3).Draw(r, "then") {
			case 0:
				commit(nil)
			case 1:
				commit(broken)
			}
		}
		commit(nil)
		if got := payloadsOf(s.blocks); !slices.Equal(got, want) {
			r.Fatalf("stored %q\nwant %q", got, want)
		}
		var told, failed []uint64
		for i, token := range a.tokens {
			if a.errs[i] == nil {
				told = append(told, token)
			} else {
				failed = append(failed, token)
			}
		}
		if !slices.Equal(told, good) || !slices.Equal(failed, bad) {
			r.Fatalf("acknowledged %v, want %v; refused %v, want %v", told, good, failed, bad)
		}
		var origins []uint64
		for _, b := range s.blocks {
			for _, o := range b.Origins {
				origins = append(origins, uint64(o.PacketID))
				if next := int(o.Index) + 1; next < b.Len() && string(b.Payload(int(o.Index))) != wants[uint64(o.PacketID)][len(wants[uint64(o.PacketID)])-1] {
					r.Fatalf("the origin of %d is not with its last line", o.PacketID)
				}
			}
		}
		if !slices.Equal(origins, good) {
			r.Fatalf("origins %v, want one for each payload: %v", origins, good)
		}
		if st := g.Status(); st.Waiting != 0 {
			r.Fatalf("%d messages wait after the last commit", st.Waiting)
		}
	})
}

// A payload that straddles the length at which blocks are cut is still in one.
func TestThePartsOfAPayloadShareABlock(t *testing.T) {
	g, s := setup(byLines)
	g.to(Active)
	h := g.Handler()
	small := &edged.Message{Topic: "t", Payload: make([]byte, maxBlockBytes-100)}
	if err := h.Take(t.Context(), small, nil, 0); err != nil {
		t.Fatal(err)
	}
	few := &edged.Message{Topic: "t", Payload: []byte("a\nb")}
	if err := h.Take(t.Context(), few, nil, 0); err != nil {
		t.Fatal(err)
	}
	many := &edged.Message{Topic: "t", Payload: []byte(strings.Repeat("line\n", maxBlockMessages+10)), Retain: true, QoS: 1}
	if err := h.Take(t.Context(), many, &acker{}, 1); err != nil {
		t.Fatal(err)
	}
	s.commit(nil)
	b := s.blocks[len(s.blocks)-1]
	if b.Len() != maxBlockMessages { // more than a row's place in the block could tell apart
		t.Fatalf("%d of its lines are in the last block", b.Len())
	}
	last := b.Len() - 1
	if rest := strings.TrimSuffix(strings.Repeat("line\n", 11), "\n"); string(b.Payload(last)) != rest || string(b.Payload(0)) != "line" {
		t.Errorf("the last one is %q", b.Payload(last))
	}
	if b.Kept(last) || len(b.Extras) > 0 || !b.Retain(last) || b.QoS(last) != 1 {
		t.Error("a line is no copy of the message that a session could read; it has its flags else")
	}
}

// What was published before split was configured, and is to be read by sessions from this block, is taken whole: a reload has exchanged the receiver
// meanwhile.
func TestWhatIsKeptForSessionsIsNotSplit(t *testing.T) {
	g, s := setup(byLines)
	g.to(Active)
	if err := g.Handler().Take(t.Context(), &edged.Message{Topic: "t", Payload: []byte("a\nb"), QoS: 1, Kept: true, Extra: []byte("x")}, &acker{}, 1); err != nil {
		t.Fatal(err)
	}
	s.commit(nil)
	if b := s.blocks[0]; b.Len() != 1 || !b.Kept(0) || string(b.Payload(0)) != "a\nb" || len(b.Extras) != 1 {
		t.Errorf("%+v", b)
	}
}

func TestAPayloadThatIsRefusedIsRefusedWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(func(o *Options) { o.Split, o.MaxRate, o.Block.Queue = "lines", 10, 2 })
		run(t, g, func() {
			h := g.Handler()
			took := func(payload string, patience time.Duration) error {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				return h.Take(ctx, &edged.Message{Topic: "t", Payload: []byte(payload)}, nil, 0)
			}
			began := time.Now()
			if err := took(strings.Repeat("x\n", 100), time.Second); err != nil || time.Since(began) != 0 {
				t.Fatalf("a payload above the rate: %v after %v", err, time.Since(began))
			}
			if err := took("a\nb", 5*time.Second); !errors.Is(err, edged.ErrFull) {
				t.Fatalf("the next one does not wait for it: %v", err)
			}
			time.Sleep(10 * time.Second)
			if err := took("c\nd", time.Second); err != nil {
				t.Fatal(err)
			}
			s.commit(nil)
			if got := payloadsOf(s.blocks)[100:]; !slices.Equal(got, []string{"c", "d"}) {
				t.Fatalf("stored %q", got)
			}
		})
		if err := g.Handler().Take(t.Context(), &edged.Message{Topic: "t", Payload: []byte("a\nb")}, nil, 0); !errors.Is(err, edged.ErrStopped) {
			t.Fatal(err)
		}
	})
}

func TestSplittingAllocatesNothingForALine(t *testing.T) {
	g, s := setup(byLines)
	g.to(Active)
	h, a := g.Handler(), &acker{}
	m := &edged.Message{Topic: "t", Payload: []byte(strings.Repeat("21.5\n", 50)), QoS: 1}
	for range 20 {
		_ = h.Take(t.Context(), m, a, 1)
	}
	s.commit(nil)
	g.open.columns = columns{make([]uint32, 0, 1<<16), make([]int64, 0, 1<<16), make([]uint8, 0, 1<<16), make([]uint32, 0, 1<<16), make([]byte, 0, 1<<20)}
	_ = h.Take(t.Context(), m, a, 1)
	if n := testing.AllocsPerRun(20, func() { _ = h.Take(context.Background(), m, nil, 1) }); n > 0 {
		t.Errorf("%v allocations for a payload of 50 lines", n)
	}
}

func BenchmarkSplit(b *testing.B) {
	g, s := setup(byLines)
	g.to(Active)
	h := g.Handler()
	m := &edged.Message{Topic: "t", Payload: []byte(strings.Repeat(fmt.Sprintln(21.5), 100)), QoS: 1}
	b.ReportAllocs()
	for b.Loop() {
		_ = h.Take(context.Background(), m, nil, 1)
		s.commit(nil)
		s.blocks = s.blocks[:0]
	}
}
