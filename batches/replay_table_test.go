package batches

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/conf"
)

// A replay joins with the table that was in force then; if that is not stored any more, with the one that there is now, or not at all.
func TestAReplayJoinsTheTableOfThatTime(t *testing.T) {
	c := joining("t", 0)
	c.Select = conf.Pairs{{Key: "value", Value: "value"}, {Key: "name", Value: "d.name"}}
	p := mustPlan(t, c)
	m := newMemStore(p)
	s := newStream(c, p, m)
	open(t, s)
	table := func(name string) msg { return msg{topic: "t", payload: "id,name\n7," + name + "\n"} }
	gets(t, s, m, "t", 1000, table("old"))
	gets(t, s, m, "a", 1001, reading(7, 1))
	first := m.End()
	gets(t, s, m, "a", 1003, reading(7, 2))
	gets(t, s, m, "t", 1004, table("new"))
	gets(t, s, m, "a", 1005, reading(7, 3))
	now := &edged.Message{Topic: "t", Payload: []byte("id,name\n7,latest\n")}
	for _, x := range []struct {
		oldest uint64
		table  func() (*edged.Message, error)
		want   string
	}{
		{0, nil, "2 old, 3 new"},
		{first, func() (*edged.Message, error) { return now, nil }, "2 latest, 3 new"},
		{first, nil, "3 new"},
		{first, func() (*edged.Message, error) { return nil, errors.New("it is gone") }, "it is gone"},
	} {
		if x.oldest > 0 {
			m.oldest = x.oldest
		}
		delete(m.results, "pins.replay")
		o := replayOptions(c, p, m)
		o.From, o.Table = time.Unix(1002, 0), x.table
		_, err := Replay(context.Background(), o)
		got := replayed(t, m, "x")
		if strings.HasPrefix(x.want, "it is") {
			if err == nil || !strings.Contains(err.Error(), x.want) || len(got) > 0 {
				t.Errorf("%v, %q", err, got)
			}
			continue
		}
		for i, w := range strings.Split(x.want, ", ") {
			if err != nil || i >= len(got) || !slices.Equal(valuesIn(got[i]), strings.Fields(w)) {
				t.Errorf("%v: %q, want %s", err, got, x.want)
				break
			}
		}
		if n := len(strings.Split(x.want, ", ")); len(got) != n {
			t.Errorf("%d rows, want %d", len(got), n)
		}
	}
}

// valuesIn is value and name of a row as replayed spells it.
func valuesIn(row string) []string {
	for _, name := range []string{"old", "new", "latest"} {
		for v := range 10 {
			if strings.Contains(row, name+"}") && strings.Contains(row, fmt.Sprint(edged.NumberValue(float64(v)))) {
				return []string{fmt.Sprint(v), name}
			}
		}
	}
	return []string{row}
}
