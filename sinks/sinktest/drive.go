package sinktest

import (
	"bytes"
	"context"
	"fmt"

	"edged"
)

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Context() context.Context
	Fatalf(format string, args ...any)
}

// gateway is what a gateway keeps across restarts of its sink: the committed receipt.
type gateway struct {
	Harness
	receipt []byte
	sink    edged.Sink
	given   int
	want    []edged.Delivery
}

// open makes a new sink and opens it, as after a restart.
func (g *gateway) open(t failer, redo []edged.Delivery) {
	t.Helper()
	g.sink = g.New()
	if err := g.sink.Open(t.Context(), g.receipt, redo); err != nil {
		t.Fatalf("open: %v", err)
	}
}

// close closes the sink, if one is open.
func (g *gateway) close(t failer) {
	t.Helper()
	if g.sink == nil {
		return
	}
	if err := g.sink.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	g.sink = nil
}

// steps bounds how often in a row Write may ask for a commit without delivering anything. The file sink needs two.
const steps = 10

// deliver writes a turn and commits what Write returns, until all of it is done or there is an error.
func (g *gateway) deliver(ctx context.Context, turn []edged.Delivery) (done int, err error) {
	for idle := 0; done < len(turn); {
		n, receipt, err := g.sink.Write(ctx, turn[done:])
		if receipt != nil {
			g.receipt = bytes.Clone(receipt)
		}
		if done += n; err != nil {
			return done, err
		}
		if idle++; n > 0 {
			idle = 0
		}
		if idle > steps {
			return done, fmt.Errorf("write returned %d times without an error and without having delivered anything", idle)
		}
	}
	return done, nil
}

// mustDeliver delivers a turn of n new deliveries.
func (g *gateway) mustDeliver(t failer, n int) {
	t.Helper()
	turn := g.turn(n)
	if done, err := g.deliver(t.Context(), turn); err != nil {
		t.Fatalf("delivery %d of %d: %v", done, n, err)
	}
}

// turn makes n new deliveries, of up to three rows each and two streams in turns. Each has bytes of its own.
func (g *gateway) turn(n int) []edged.Delivery {
	turn := make([]edged.Delivery, n)
	for i := range turn {
		turn[i] = delivery(g.given)
		g.want = append(g.want, delivery(g.given))
		g.given++
	}
	return turn
}

func delivery(number int) edged.Delivery {
	rows := &edged.Rows{Stream: "pins", Names: []string{"time", "number", "text", "sometimes"}}
	for r := range 1 + number%3 {
		sometimes := edged.Value{}
		if r == 1 {
			sometimes = edged.JSONValue(`{"é":[1,null]}`)
		}
		rows.Cells = append(rows.Cells, edged.TimeValue(int64(number)*1e9+int64(r)), edged.NumberValue(float64(number)+float64(r)/8),
			edged.TextValue(fmt.Sprintf("row %d of %d, \"quoted\"\n", r, number)), sometimes)
		rows.At = append(rows.At, edged.Pos{Seq: uint64(number + 1), Off: uint32(r)})
	}
	return edged.Delivery{Key: fmt.Sprintf("c5a0/pins/sink/%d.0-%d.0/test", number+1, number+2), Rows: rows}
}

// check compares what arrived with what was given, by the kind's guarantee.
func (g *gateway) check(t failer) {
	t.Helper()
	g.close(t)
	switch arrived := g.Arrived(); g.Guarantee {
	case ExactlyOnce:
		var got, want []byte
		for _, a := range arrived {
			got = append(got, a.Body...)
		}
		for _, d := range g.want {
			want = g.Encode(want, d.Rows)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("the target holds\n%s\nwant\n%s", got, want)
		}
	case Keyed:
		g.checkKeyed(t, arrived)
	case AtLeastOnce:
		g.checkAny(t, arrived)
	}
}

func (g *gateway) checkKeyed(t failer, arrived []Arrival) {
	t.Helper()
	bodies := map[string][]byte{}
	var order []string
	for _, a := range arrived {
		first, again := bodies[a.Key]
		if again && !bytes.Equal(first, a.Body) {
			t.Fatalf("key %s came with\n%s\nand with\n%s", a.Key, first, a.Body)
		}
		if !again {
			bodies[a.Key] = a.Body
			order = append(order, a.Key)
		}
	}
	if len(order) != len(g.want) {
		t.Fatalf("%d keys arrived, want %d: %q", len(order), len(g.want), order)
	}
	for i, d := range g.want {
		if want := g.Encode(nil, d.Rows); order[i] != d.Key || !bytes.Equal(bodies[d.Key], want) {
			t.Fatalf("arrival %d is %s\n%s\nwant %s\n%s", i, order[i], bodies[order[i]], d.Key, want)
		}
	}
}

func (g *gateway) checkAny(t failer, arrived []Arrival) {
	t.Helper()
	var got []byte
	for _, a := range arrived {
		got = append(got, a.Body...)
	}
	from := 0
	for _, d := range g.want {
		at := bytes.Index(got, g.Encode(nil, d.Rows))
		if at < from {
			t.Fatalf("delivery %s is missing or came out of order:\n%s", d.Key, got)
		}
		from = at
	}
}
