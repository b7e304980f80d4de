package batches

import (
	"crypto/sha256"
	"encoding/binary"
	"math"

	"edged"
	"edged/batches/expression"
	"edged/internal/rowcodec"
)

// memory is what a stream remembers of each key between its rows: what changed, deadband, throttle, sample and lag need (Spark:
// updateStateByKey, mapWithState). The key of a row is what it is grouped by, else its topic. It is part of the stream's state: results depend on the
// log alone, and a checkpoint writes the keys that have changed.
type memory struct {
	p     *Plan
	keys  map[string]*remembered
	dirty map[string]bool

	undone map[string]*remembered // while a message is tried: what its keys were before; nil for a new one
	trying bool
}

// remembered is what is kept of one key.
type remembered struct {
	lags   []edged.Value // by lag: its value in the row before
	last   edged.Value   // changed: of the row that passed last
	passed bool          // a row has passed
	at     int64         // the time of that row
	seen   uint64        // rows that came as far as sample
}

func newMemory(p *Plan) *memory {
	if !p.remembers() {
		return nil
	}
	return &memory{p: p, keys: map[string]*remembered{}, dirty: map[string]bool{}, undone: map[string]*remembered{}}
}

// remembers reports whether the stream's rows depend on those before them.
func (p *Plan) remembers() bool {
	return p.changed != nil || p.throttle > 0 || p.sample > 1 || len(p.lags) > 0
}

// Logged reports whether the stream's rows are in a result log: they depend on more than one message, and cannot be made again from it.
func (p *Plan) Logged() bool { return p.Windowed() || p.remembers() || p.join != nil }

// of returns what is kept of a key, to be changed by the caller; nil if that would be one key too many.
func (m *memory) of(key []byte) *remembered {
	e := m.keys[string(key)]
	if m.trying {
		if _, ok := m.undone[string(key)]; !ok {
			m.undone[string(key)] = e.clone()
		}
	}
	if e == nil {
		if len(m.keys) >= m.p.groups {
			return nil
		}
		e = &remembered{lags: make([]edged.Value, len(m.p.lags))}
		m.keys[string(key)] = e
	}
	if !m.dirty[string(key)] {
		m.dirty[string(key)] = true
	}
	return e
}

func (e *remembered) clone() *remembered {
	if e == nil {
		return nil
	}
	c := *e
	c.lags = append([]edged.Value(nil), e.lags...)
	return &c
}

// try begins a message that may turn out to be a dead letter; undo takes back what it has changed.
func (m *memory) try() {
	clear(m.undone)
	m.trying = true
}

func (m *memory) undo() {
	m.trying = false
	for key, e := range m.undone {
		if e == nil {
			delete(m.keys, key)
			delete(m.dirty, key)
		} else {
			m.keys[key] = e
		}
	}
}

// lag puts the values of the key's row before into this one, and keeps those of this one; of a text that is too long to be kept, null.
func (e *remembered) lag(p *Plan, eval *expression.Evaluator, row *expression.Row) {
	for i, l := range p.lags {
		before := e.lags[i]
		if v := eval.Value(l.Of, row); len(v.Str()) > maxText {
			e.lags[i] = edged.NullValue()
		} else if v != before {
			e.lags[i] = own(v)
		}
		row.Cols[l.Slot] = before
	}
}

// passes says whether a row that where has let through goes on: changed and deadband first, then throttle, then sample.
func (e *remembered) passes(p *Plan, eval *expression.Evaluator, row *expression.Row) bool {
	var v edged.Value
	if p.changed != nil {
		if v = keep(eval.Value(p.changed, row)); e.passed && !p.band.differs(e.last, v) {
			return false
		}
	}
	if p.throttle > 0 && e.passed && row.Time-e.at < p.throttle {
		return false
	}
	if p.sample > 1 {
		e.seen++
		if (e.seen-1)%p.sample != 0 {
			return false
		}
	}
	e.passed, e.at, e.last = true, row.Time, v
	return true
}

// deadband is by how much a number must have moved to count as another one: a fraction of the last one, or in its unit.
type deadband struct {
	by       float64
	relative bool
}

func (d deadband) differs(before, now edged.Value) bool {
	x, number := before.Float()
	y, also := now.Float()
	if !number || !also {
		return before.Missing() != now.Missing() || !before.Missing() && before.Compare(now) != 0
	}
	if by := d.by; by > 0 {
		if d.relative {
			by *= math.Abs(x)
		}
		return math.Abs(y-x) >= by && y != x
	}
	return x != y
}

// Keys in a checkpoint: m + the key.

func (m *memory) changes(put func(key string, value []byte)) {
	for key := range m.dirty {
		put("m"+key, m.keys[key].append(nil))
	}
	clear(m.dirty)
}

func (e *remembered) append(b []byte) []byte {
	b = append(b, recordVersion, 0)
	if e.passed {
		b[1] = 1
	}
	b = binary.AppendVarint(b, e.at)
	b = binary.AppendUvarint(b, e.seen)
	b = rowcodec.AppendValue(b, e.last)
	for _, v := range e.lags {
		b = rowcodec.AppendValue(b, v)
	}
	return b
}

func (m *memory) load(key string, value []byte, err error) loss {
	r := headerReader{b: value}
	if err != nil || r.take(1)[0] != recordVersion {
		return unknown
	}
	e := &remembered{passed: r.take(1)[0] == 1, at: r.varint(), seen: r.uvarint()}
	values := rowcodec.Reader{B: r.b}
	e.last = own(values.Value())
	for range m.p.lags {
		e.lags = append(e.lags, own(values.Value()))
	}
	if r.err != nil || values.Err != nil || len(values.B) > 0 {
		return unknown
	}
	m.keys[key[1:]] = e
	return nothing
}

// keep is what is kept of a value: a long text cannot be, and its hash says as well whether another one is the same.
func keep(v edged.Value) edged.Value {
	if len(v.Str()) <= maxText {
		return own(v)
	}
	sum := sha256.Sum256([]byte(v.Str()))
	return edged.BytesValue(string(sum[:]))
}
