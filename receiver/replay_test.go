package receiver

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"edged"
	"edged/test/await"
)

type list struct{ got []string }

func (l *list) Take(_ context.Context, m *edged.Message, _ edged.Acker, _ uint64) error {
	l.got = append(l.got, m.Topic+" "+string(m.Payload))
	return nil
}

func TestReplaySendsWhatARawFileHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "raw.ndjson")
	text := `{"stream":"raw","time":"2026-11-20T10:00:00Z","topic":"a/1","payload":{"value":1, "s":"x"}}
{"topic":"a/2","payload":21.5}
not JSON
{"topic":"a/3","payload":"text"}
{"topic":"a/+","payload":1}
{"topic":"a/4"}

{"topic":"a/5","payload_base64":"AAE="}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var l list
	r := (&Replay{Path: path}).New(Env{Log: slog.New(slog.DiscardHandler)})
	if err := r.Run(t.Context(), &l); err != nil {
		t.Fatal(err)
	}
	want := []string{`a/1 {"value":1,"s":"x"}`, "a/2 21.5", "a/3 text", "a/5 \x00\x01"}
	if !slices.Equal(l.got, want) {
		t.Fatalf("got %q\nwant %q", l.got, want)
	}
}

const marked = `{"topic":"a/1","payload":1}
{"topic":"a/1","payload":2}
{"mark":"batch"}
{"topic":"a/1","payload":3}
{"mark":"batch"}
{"mark":"batch"}
{"mark":"end"}
{"topic":"a/1","payload":4}
`

// What follows a mark is in a later block than what came before it, however blocks are cut, and is sent when that is stored.
func TestAMarkWaitsForTheCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "raw.ndjson")
	if err := os.WriteFile(path, []byte(marked), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(nil)
		var said await.Log
		r := (&Replay{Path: path}).New(Env{Log: slog.New(slog.NewTextHandler(&said, nil))})
		ended := make(chan error, 1)
		run(t, g, func() {
			go func() { ended <- r.Run(t.Context(), g) }()
			for n, want := range []int{2, 3, 4} {
				time.Sleep(time.Minute) // many intervals
				if took := int(g.Status().Received); took != want {
					t.Errorf("after %d commits %d messages were taken, want %d", n, took, want)
				}
				s.commit(nil)
			}
		})
		if err := <-ended; err != nil {
			t.Error(err)
		}
		var blocks [][]string
		for i, b := range s.blocks {
			var in []string
			for j := range b.Len() {
				in = append(in, string(b.Payload(j)))
			}
			blocks = append(blocks, in)
			if i > 0 && !s.blocks[i-1].Cut.Before(b.Cut) {
				t.Errorf("block %d is not cut later than the one before", i)
			}
		}
		if len(blocks) != 3 || !slices.Equal(blocks[0], []string{"1", "2"}) || !slices.Equal(blocks[1], []string{"3"}) {
			t.Errorf("blocks %q", blocks)
		}
		if !strings.Contains(said.String(), "line 7") || s.waiting.Load() > 0 {
			t.Errorf("%s; %d early commits were asked for", said.String(), s.waiting.Load())
		}
	})
}

// marker is a handler that writes down marks, too.
type marker struct{ list }

func (m *marker) Take(ctx context.Context, msg *edged.Message, ack edged.Acker, token uint64) error {
	go func() { ack.Acked(token, edged.Pos{}, nil); ack.Flush() }()
	return m.list.Take(ctx, msg, ack, token)
}

func (m *marker) Mark() { m.got = append(m.got, "mark") }

func TestTheHandlerIsToldOfMarks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "raw.ndjson")
	if err := os.WriteFile(path, []byte(marked), 0o600); err != nil {
		t.Fatal(err)
	}
	var m marker
	r := (&Replay{Path: path}).New(Env{Log: slog.New(slog.DiscardHandler)})
	if err := r.Run(t.Context(), &m); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a/1 1", "a/1 2", "mark", "a/1 3", "mark", "mark", "a/1 4"}; !slices.Equal(m.got, want) {
		t.Errorf("got %q", m.got)
	}
}
