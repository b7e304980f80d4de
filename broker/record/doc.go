// Package record has the forms in which MQTT sessions are on disk (docs/adr/0014-sessions.md). It knows nothing of how they are used.
//
// The spaces and their keys are in blockstore/FORMAT.md. A client identifier has no NUL [MQTT-1.5.4-2], so NUL ends it in a key.
package record

import (
	"encoding/binary"
	"errors"
	"strings"

	"edged"
)

// The spaces of the store.
const (
	Sessions      = "sessions"      // client: Session
	Subscriptions = "subscriptions" // client, filter: Subscription
	Inflight      = "inflight"      // client, Ref: Half
	Queues        = "queues"        // client, number: Letter
)

// Cursor is the name of the cursor that holds the log for all sessions.
const Cursor = "sessions"

var errForm = errors.New("not of a form that this edged knows")

// Ref names a letter of a session: by its place in the log, or, if Seq is 0, by its number in the session's queue, Off. The zero
// Ref names nothing.
type Ref = edged.Pos

// SubscriptionKey is the key of a subscription.
func SubscriptionKey(client, filter string) string { return client + "\x00" + filter }

// InflightKey is the key of a delivery under way. Keys of one client sort by place.
func InflightKey(client string, r Ref) string {
	b := append([]byte(client), 0)
	b = binary.BigEndian.AppendUint64(b, r.Seq)
	return string(binary.BigEndian.AppendUint32(b, r.Off))
}

// QueueKey is the key of a letter in a session's queue. Keys of one client sort by number.
func QueueKey(client string, number uint32) string {
	return string(binary.BigEndian.AppendUint32(append([]byte(client), 0), number))
}

// Split takes a key apart.
func Split(key string) (client, rest string, ok bool) { return strings.Cut(key, "\x00") }

// RefOf reads what follows the client in a key of Inflight.
func RefOf(rest string) (Ref, bool) {
	if len(rest) != 12 {
		return Ref{}, false
	}
	return Ref{Seq: binary.BigEndian.Uint64([]byte(rest)), Off: binary.BigEndian.Uint32([]byte(rest[8:]))}, true
}

// NumberOf reads what follows the client in a key of Queues.
func NumberOf(rest string) (uint32, bool) {
	if len(rest) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32([]byte(rest)), true
}
