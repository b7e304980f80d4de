package record

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"edged"
)

// Session is a session but for its subscriptions and its letters.
type Session struct {
	User string `json:"user,omitempty"`
	Keep int64  `json:"keep"`           // seconds that it outlives its connection
	Away int64  `json:"away,omitempty"` // seconds that it has done so, while edged ran
	// Mark is the first place in the log whose letter may still be owed to it; nil: the mark of the cursor, because nothing waits.
	Mark    *edged.Pos `json:"mark,omitempty"`
	Flights []Flight   `json:"flights,omitempty"` // QoS 1, sent and not acknowledged; they may be before the mark
}

// Flight is a letter that has a packet identifier.
type Flight struct {
	ID  uint16 `json:"id"`
	Ref Ref    `json:"ref"`
}

// Append encodes it.
func (s *Session) Append(b []byte) []byte { return appendJSON(b, s) }

// ParseSession is the reverse.
func ParseSession(b []byte) (s Session, err error) {
	if err = json.Unmarshal(b, &s); err == nil && (min(s.Keep, s.Away) < 0 || max(s.Keep, s.Away) > math.MaxUint32) {
		err = fmt.Errorf("%w: times of %d and %d seconds", errForm, s.Keep, s.Away)
	}
	return s, err
}

// Subscription is the options of a subscription, and its age.
type Subscription struct {
	QoS               byte   `json:"qos"`
	NoLocal           bool   `json:"no_local,omitempty"`
	RetainAsPublished bool   `json:"retain_as_published,omitempty"`
	NoRetained        bool   `json:"no_retained,omitempty"`
	ID                uint32 `json:"id,omitempty"`
	Born              uint64 `json:"born"`           // the end of the log when it was made
	Sure              uint64 `json:"sure,omitempty"` // and with the commit that made it; 0: nothing is known of that
	Past              []Past `json:"past,omitempty"`

	// Earlier versions wrote the last change only.
	Was     byte   `json:"was,omitempty"`
	Changed uint64 `json:"changed,omitempty"`
}

// Past is a QoS that a subscription had, up to a place in the log. They stand in order.
type Past struct {
	QoS   byte   `json:"qos"`
	Until uint64 `json:"until"`          // the end of the log at the change
	Sure  uint64 `json:"sure,omitempty"` // and with the commit that made it; 0: nothing is known of that
}

// Append encodes it.
func (s *Subscription) Append(b []byte) []byte { return appendJSON(b, s) }

// ParseSubscription is the reverse.
func ParseSubscription(b []byte) (s Subscription, err error) {
	if err = json.Unmarshal(b, &s); err != nil {
		return s, err
	}
	if s.Changed > 0 && len(s.Past) == 0 {
		s.Past = []Past{{QoS: s.Was, Until: s.Changed}}
	}
	s.Was, s.Changed = 0, 0
	if s.QoS > 2 || slices.ContainsFunc(s.Past, func(p Past) bool { return p.QoS > 2 }) {
		err = fmt.Errorf("%w: QoS %d", errForm, s.QoS)
	}
	return s, err
}

// Marks is the record of the cursor: Number counts its changes, Mark is that of sessions for which nothing waits, and of shared
// subscriptions.
type Marks struct {
	Number uint64 `json:"number"`
	Mark   uint64 `json:"mark"`
}

// Append encodes it.
func (m *Marks) Append(b []byte) []byte { return appendJSON(b, m) }

// ParseMarks is the reverse.
func ParseMarks(b []byte) (m Marks, err error) {
	err = json.Unmarshal(b, &m)
	return m, err
}

func appendJSON(b []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // numbers and valid strings: it cannot fail
	}
	return append(b, text...)
}
