package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"edged"
	"edged/blockstore"
	"edged/broker/record"
	"edged/broker/remote"
	"edged/configs"
	"edged/internal/topic"
	"edged/receiver"
	"edged/sinks/encode"
)

// What edged store asks a running gateway. The answers that are made as they go are NDJSON, and end with a line {"end":true}, or with
// {"error":"…"}: an answer without either was cut off.

func (d *Daemon) serveStoreList(w http.ResponseWriter, _ *http.Request) {
	l, err := d.store.List()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(l) // the reader has gone
}

// StoreLine is a line of an answer that is made as it goes.
type StoreLine struct {
	Damage string          `json:"damage,omitempty"`
	Row    json.RawMessage `json:"row,omitempty"`
	Error  string          `json:"error,omitempty"`
	End    bool            `json:"end,omitempty"`
}

// lineWithin is how long a line may stay in the buffer when further ones come.
const lineWithin = 500 * time.Millisecond

// answerLines sends what f gives, for as long as the reader takes.
func answerLines(w http.ResponseWriter, f func(put func(StoreLine) error) error) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	_ = http.NewResponseController(w).Flush()
	out := bufio.NewWriterSize(w, 64<<10)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	sent := time.Now()
	put := func(l StoreLine) error {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute))
		if err := enc.Encode(l); err != nil || time.Since(sent) < lineWithin {
			return err
		}
		sent = time.Now()
		_ = out.Flush()
		return http.NewResponseController(w).Flush()
	}
	if err := f(put); err != nil {
		_ = put(StoreLine{Error: err.Error()})
	} else {
		_ = put(StoreLine{End: true})
	}
	_ = out.Flush()
}

func (d *Daemon) serveStoreVerify(w http.ResponseWriter, r *http.Request) {
	answerLines(w, func(put func(StoreLine) error) error {
		return d.store.Verify(r.Context(), func(damage string) { _ = put(StoreLine{Damage: damage}) })
	})
}

func (d *Daemon) serveStoreExport(w http.ResponseWriter, r *http.Request) {
	q, err := ExportQuery(d.now().c, r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answerLines(w, func(put func(StoreLine) error) error { return ExportLines(r.Context(), d.store, q, put) })
}

// ExportQuery reads what is to be exported. c may be nil: then a stream is known by its results alone.
func ExportQuery(c *configs.Config, v url.Values) (q blockstore.Query, err error) {
	if q.Topic = v.Get("topic"); q.Topic != "" {
		if err := topic.CheckFilter(q.Topic); err != nil {
			return q, fmt.Errorf("--topic: %w", err)
		}
	}
	for _, t := range []struct {
		name string
		at   *time.Time
	}{{"from", &q.From}, {"to", &q.To}} {
		if text := v.Get(t.name); text != "" {
			if *t.at, err = time.Parse(time.RFC3339, text); err != nil {
				return q, fmt.Errorf("--%s: %q is no time such as 2026-01-02T15:04:05Z", t.name, text)
			}
		}
	}
	stream := v.Get("stream")
	if stream == "" {
		return q, nil
	}
	q.Results = stream
	if c == nil {
		return q, nil
	}
	for _, s := range c.Streams {
		if s.Name == stream && !s.Plan.Logged() {
			q.Results, q.Takes = "", s.Plan.Takes
		}
	}
	if q.Results != "" && q.Topic != "" {
		return q, fmt.Errorf("--topic is for messages; stream %s has results", stream)
	}
	return q, nil
}

// source is a store that is running, or an archive.
type source interface {
	Next(seq uint64) (edged.Entry, bool, error)
	NextResult(stream string, seq uint64) (edged.Result, bool, error)
}

// ExportLines gives a line for each message or row, and one for each entry that cannot be read.
func ExportLines(ctx context.Context, from source, q blockstore.Query, put func(StoreLine) error) error {
	message := func(m blockstore.Message) error {
		text, err := json.Marshal(m)
		if err != nil {
			return err
		}
		return put(StoreLine{Row: text})
	}
	rows := func(r *edged.Rows) error {
		for line := range strings.Lines(string(encode.AppendNDJSON(nil, r))) {
			if err := put(StoreLine{Row: json.RawMessage(strings.TrimSpace(line))}); err != nil {
				return err
			}
		}
		return nil
	}
	return blockstore.Export(ctx, from, q, message, rows, func(err error) { _ = put(StoreLine{Damage: err.Error()}) })
}

func (d *Daemon) serveStoreForget(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("name")
	if fromBrowser(w, r) {
		return
	}
	said, err := d.Forget(r.Context(), name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	d.log.Warn("forgotten, because somebody asked for it (edged store forget)", "name", name)
	_, _ = io.WriteString(w, said)
}

// Forget gives up something that is no longer configured, or a note of what was damaged, and says what it was.
func (d *Daemon) Forget(ctx context.Context, name string) (string, error) {
	d.changes.Lock()
	defer d.changes.Unlock()
	now := d.now()
	return ForgetIn(ctx, d.store, now.known, now.c, name)
}

// ForgetIn is Forget in a store that runs, with the cursors that the configuration has.
func ForgetIn(ctx context.Context, s *blockstore.Store, known []string, c *configs.Config, name string) (string, error) {
	if strings.HasPrefix(name, "note/") {
		return fmt.Sprintf("%s is forgotten\n", name), s.ForgetNote(name)
	}
	var topics, sessions []string
	_ = s.Values(spaceTopics, func(key string, _ []byte, _ error) error { topics = append(topics, key); return nil })
	for _, r := range c.Receivers {
		if m, ok := r.Config.(*receiver.MQTT); ok {
			if external, ok := m.Remote.(*remote.Config); ok {
				sessions = append(sessions, external.ClientID)
			}
		}
	}
	u, err := blockstore.Forgetting(name, s.Cursors(), topics, known, sessions)
	if err != nil {
		return "", err
	}
	said := ""
	for _, c := range s.Cursors() {
		if slices.Contains(u.Forget, c.Name) {
			said += fmt.Sprintf("%s is forgotten; it held back %d bytes\n", c.Name, s.Pending(c.Log, c.Need))
		}
	}
	for _, p := range u.Puts {
		said += fmt.Sprintf("session/%s is forgotten\n", p.Key)
	}
	if err := s.Commit(ctx, u, true); err != nil {
		return "", fmt.Errorf("%s cannot be forgotten: %w", name, err)
	}
	return said, nil
}

// Known are the names of the cursors that a configuration has.
func Known(c *configs.Config) (out []string) {
	for _, s := range c.Streams {
		out = append(out, edged.StreamCursor(s.Name), edged.SideCursor(edged.SideLog(s.Name, edged.Replay)))
		if s.Late != "" {
			out = append(out, edged.SideCursor(edged.SideLog(s.Name, edged.Late)))
		}
	}
	for _, k := range c.Sinks {
		if len(k.Streams) == 0 {
			continue
		}
		out = append(out, "sink/"+k.Name)
		for _, s := range k.Streams {
			out = append(out, edged.DeliveryCursor(s, k.Name))
			if edged.StreamOf(s) == s {
				out = append(out, edged.DeliveryCursor(edged.SideLog(s, edged.Replay), k.Name))
			}
		}
	}
	if c.Broker != nil {
		out = append(out, record.Cursor)
	}
	return append(out, edged.DeliveryCursor(edged.DeadLetters, edged.DeadLetters), "sink/"+edged.DeadLetters)
}
