package receiver

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"edged"
)

// What came together is in the log as if it had come one after the other: the topics that are let in, the bounds, the epochs, the acknowledgements.
func TestTogetherIsAsOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &steps{edged.Instant{Epoch: 0, Wall: 5000}}
		way := &gate{closed: "dead", ch: make(chan struct{})}
		g, s := setup(func(o *Options) { o.Clock, o.Admission, o.Block.QueueBytes = c, way, 100<<10 })
		a, b := &batchAcker{}, &acker{}
		of := func(topic string, payloads ...string) (ms []edged.Message) {
			for _, p := range payloads {
				ms = append(ms, edged.Message{Topic: topic, Payload: []byte(p), QoS: 1})
			}
			return ms
		}
		together := func(ms []edged.Message, ack edged.Acker, first uint64, want int) {
			t.Helper()
			if n := g.TakeReady(ms, ack, first); n != want {
				t.Fatalf("%d were taken, not %d", n, want)
			}
		}
		together(of("x", "too early"), a, 0, 0)
		run(t, g, func() {
			together(of("x", "a", "b"), a, 1, 2)
			take(t, g, "y", "c", b, 1)
			together(append(of("x", "d", "e"), of("dead", "f")...), a, 3, 2)
			c.at = edged.Instant{Epoch: 1, Wall: 100}
			together(of("x", "g"), a, 5, 1)
			together(of("x", "h"), nil, 0, 1)
			together(of("x", string(make([]byte, 60<<10)), string(make([]byte, 60<<10)), "i"), a, 6, 2)
			s.commit(nil)
			var got []string
			for _, b := range s.blocks {
				for i := range b.Len() {
					got = append(got, fmt.Sprint(b.Cut.Epoch, b.Arrival[i], b.TopicOf(i), string(b.Payload(i)[:1])))
				}
			}
			if want := []string{"0 5000xa", "0 5000xb", "0 5000yc", "0 5000xd", "0 5000xe", "1 100xg", "1 100xh", "1 100x\x00", "1 100x\x00"}; !slices.Equal(got, want) {
				t.Fatalf("%q", got)
			}
			if !slices.Equal(a.tokens, []uint64{1, 2, 3, 4, 5, 6, 7}) || !slices.Equal(b.tokens, []uint64{1}) || a.flushes != 2 {
				t.Fatalf("%v, %v, %d flushes", a.tokens, b.tokens, a.flushes)
			}
			if want := []string{"1 2 0", "3 2 3", "6 2 2"}; !slices.Equal(a.runs, want) {
				t.Fatalf("%q", a.runs)
			}
		})
		if len(g.waits.of) > 0 {
			t.Fatalf("%d are waited for in the end", len(g.waits.of))
		}
	})
}

// batchAcker is an acker that is told of several at once.
type batchAcker struct {
	acker
	runs []string // first token, number, place in the block
}

func (a *batchAcker) AckedTogether(first uint64, n int, at edged.Pos, err error) {
	a.runs = append(a.runs, fmt.Sprint(first, n, at.Off))
	for i := range n {
		a.Acked(first+uint64(i), at, err)
	}
}
