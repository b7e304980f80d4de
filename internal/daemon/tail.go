package daemon

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"

	"edged/internal/topic"
)

// maxTails bounds the clients that follow topics at the same time.
const maxTails = 16

// Tailed is one line of a tail: a message as subscribers see it.
type Tailed struct {
	Time          time.Time `json:"time"`
	Topic         string    `json:"topic"`
	Payload       string    `json:"payload,omitempty"`
	PayloadBase64 string    `json:"payload_base64,omitempty"` // if it is not UTF-8
	Retained      bool      `json:"retained,omitempty"`
	Missed        int64     `json:"missed,omitempty"` // messages just before this one that the reader was too slow for
}

// serveTail sends messages of the embedded broker as NDJSON until the client goes.
func (d *Daemon) serveTail(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	filter := r.URL.Query().Get("topic")
	switch err := topic.CheckFilter(filter); {
	case err != nil:
		http.Error(w, "topic: "+err.Error(), http.StatusBadRequest)
		return
	case d.broker == nil:
		http.Error(w, "there is no embedded broker; ask the external one (mosquitto_sub)", http.StatusNotFound)
		return
	case d.tapped.Add(1) > maxTails:
		d.tapped.Add(-1)
		http.Error(w, "too many tails at once", http.StatusTooManyRequests)
		return
	}
	defer d.tapped.Add(-1)
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := make(chan Tailed)
	cancel := d.broker.Tap(filter, func(topic string, payload []byte, retained bool, missed int64) {
		t := Tailed{Time: time.Now().UTC(), Topic: topic, Retained: retained, Missed: missed}
		if utf8.Valid(payload) {
			t.Payload = string(payload)
		} else {
			t.PayloadBase64 = base64.StdEncoding.EncodeToString(payload)
		}
		select {
		case lines <- t: // a slow client makes the tap slow, and the broker counts what that misses
		case <-r.Context().Done():
		case <-ctx.Done():
		}
	})
	defer cancel()
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Time{})
	_ = out.Flush()
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.Context().Done():
			return
		case t := <-lines:
			if enc.Encode(t) != nil || out.Flush() != nil {
				return
			}
		}
	}
}
