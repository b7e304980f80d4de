// Package deadletter makes dead letters: what can never be read or taken, kept with its reason.
//
// A dead letter is a row in the result log of the stream edged.DeadLetters, appended in the transaction that moves past
// it, and goes to its file the way of every result.
package deadletter

import (
	"strings"
	"unicode/utf8"

	"edged"
	"edged/internal/rowcodec"
)

// maxReason bounds the reason: libraries like to repeat what they were given.
const maxReason = 500

var names = []string{"time", "sink", "reason", "topic", "payload", "payload_base64"}

// New makes the log entry of a message that a stream cannot read (sink is "") or of a row that a sink will never take. at
// is its time in nanoseconds. payload is copied.
func New(stream, sink string, at int64, reason, topic string, payload []byte) edged.Result {
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "") + "…"
	}
	cells := []edged.Value{edged.TimeValue(at), {}, edged.TextValue(reason), {}, {}, {}}
	if sink != "" {
		cells[1] = edged.TextValue(sink)
	}
	if topic != "" {
		cells[3] = edged.TextValue(topic)
	}
	if utf8.Valid(payload) {
		cells[4] = edged.TextValue(string(payload))
	} else {
		cells[5] = edged.BytesValue(string(payload))
	}
	rows := edged.Rows{Stream: stream, Names: names, Cells: cells, At: make([]edged.Pos, 1)}
	return edged.Result{Stream: edged.DeadLetters, Rows: 1, Data: rowcodec.Append(nil, &rows)}
}
