package receiver

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"edged"
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
