package gpio

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// reading is one value of a pin, as it waits for the broker.
type reading struct {
	seq   uint64
	value float64
	edge  edge
	at    time.Time // with its monotonic part: the age of a reading must not depend on a clock that is set
}

// edge is the direction of a change.
type edge uint8

const (
	noEdge edge = iota
	rising
	falling
)

func (e edge) String() string {
	switch e {
	case rising:
		return "rising"
	case falling:
		return "falling"
	}
	return ""
}

// edgeOf is the edge that led from one value to another. Of two equal values (an edge between them was lost) the second
// decides: a contact that is closed now has closed.
func edgeOf(from, to float64) edge {
	if to > from || to == from && to != 0 {
		return rising
	}
	return falling
}

// encoder writes a pin's readings as JSON:
//
//	{"name":"door","line":"GPIO17","value":1,"edge":"rising","seq":42,"ts":1763632800123}
//
// ts is in milliseconds since 1970. "edge" is left out when there was none.
type encoder struct {
	head []byte // up to the value
	buf  []byte
}

func newEncoder(name, line string) *encoder {
	n, _ := json.Marshal(name) // a string never fails
	l, _ := json.Marshal(line)
	head := append([]byte(`{"name":`), n...)
	head = append(append(append(head, `,"line":`...), l...), `,"value":`...)
	return &encoder{head: head}
}

// encode returns the payload. It is valid until the next call, and nothing is allocated once the buffer has its size.
func (e *encoder) encode(r *reading) []byte {
	b := append(e.buf[:0], e.head...)
	b = appendNumber(b, r.value)
	if r.edge != noEdge {
		b = append(b, `,"edge":"`...)
		b = append(b, r.edge.String()...)
		b = append(b, '"')
	}
	b = append(b, `,"seq":`...)
	b = strconv.AppendUint(b, r.seq, 10)
	b = append(b, `,"ts":`...)
	b = strconv.AppendInt(b, r.at.UnixMilli(), 10)
	b = append(b, '}')
	e.buf = b
	return b
}

// appendNumber writes a finite number as encoding/json does (ECMAScript's Number::toString): 24, 23.5, 1e-7, 1e+21.
func appendNumber(b []byte, f float64) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, f, format, -1, 64)
	if n := len(b); format == 'e' && n >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b[n-2] = b[n-1] // e-07 to e-7
		b = b[:n-1]
	}
	return b
}
