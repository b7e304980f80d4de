package batches

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"edged"
)

// table is what a stream keeps of the table that it joins: the text that is in force, and its rows. It is used by one goroutine.
//
// In a checkpoint: t + number, and a piece of the text. The pieces are shorter than a page of the store, where what lies beside something that changes is
// written again.
type table struct {
	j    *join
	side *otherSide
	text []byte // nil: there is none
	at   int64  // its arrival
	rows map[string][]edged.Value

	skipped  int    // rows without a key, or with one that is too long
	repeated int    // rows whose key a later one has
	stale    bool   // a later one was in an entry of the log that could not be read
	refused  bool   // the latest could not be read
	why      string // not

	dirty  bool              // it is not the one of the last checkpoint
	pieces uint32            // that the last checkpoint has
	loaded map[uint32][]byte // while a checkpoint is read
}

// pieceSize is that of the text in a checkpoint.
const pieceSize = 3600

func newTable(p *Plan) *table {
	if p.join == nil || !p.join.table() {
		return nil
	}
	return &table{j: p.join, side: newOtherSide(p.join)}
}

// replace has a text be the table. If it is none, that is said, and the one before stays.
func (t *table) replace(text []byte, arrival int64) (reason string) {
	rows, skipped, repeated := map[string][]edged.Value{}, 0, 0
	reason = t.side.read(text, arrival, func(int) string {
		key := t.side.keyOf()
		if key == nil || len(key) > maxText {
			skipped++
			return ""
		}
		if _, twice := rows[string(key)]; twice {
			repeated++
		}
		rows[string(key)] = t.side.fields()
		return ""
	})
	t.why, t.stale = reason, false
	if t.refused = reason != ""; !t.refused {
		t.at = arrival
		t.text, t.rows, t.skipped, t.repeated = append(make([]byte, 0, len(text)), text...), rows, skipped, repeated
		t.dirty = true
	}
	return reason
}

// join puts the fields of the row's partner into it, and says whether it goes on.
func (t *table) join(r *rowReader) bool {
	var fields []edged.Value
	found := false
	if key := r.joinKey(); key != nil {
		fields, found = t.rows[string(key)]
	}
	t.j.partner(&r.row, fields)
	return found || t.j.outer
}

// lacks reports whether there is no table, or not the latest one.
func (t *table) lacks() bool { return t.text == nil || t.stale }

// from takes over the table of an earlier definition, if it is of the same receiver.
func (t *table) from(before *table) {
	if t == nil || before == nil || before.text == nil || before.j.other != t.j.other {
		return
	}
	if t.replace(before.text, before.at) != "" {
		t.refused = false // the latest may be one for this definition: it is wanted
		return
	}
	t.stale = before.stale || before.refused
}

func (t *table) changes(put func(key string, value []byte)) {
	if !t.dirty {
		return
	}
	all, n := appendTable(nil, t.at, t.text), uint32(0)
	for piece := range slices.Chunk(all, pieceSize) {
		put(pieceKey(n), slices.Clone(piece))
		n++
	}
	for i := n; i < t.pieces; i++ {
		put(pieceKey(i), nil)
	}
	t.dirty, t.pieces = false, n
}

func appendTable(b []byte, at int64, text []byte) []byte {
	b = binary.AppendVarint(append(b, recordVersion), at)
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func pieceKey(n uint32) string { return "t" + string(binary.BigEndian.AppendUint32(nil, n)) }

// load takes a piece of the checkpoint back. A table with a hole is none: see loadEnd.
func (t *table) load(key string, value []byte, err error) loss {
	if err != nil || len(key) != 5 {
		return marked // loadEnd finds that it is missing
	}
	if t.loaded == nil {
		t.loaded = map[uint32][]byte{}
	}
	t.loaded[binary.BigEndian.Uint32([]byte(key[1:]))] = slices.Clone(value)
	return nothing
}

var errPieces = errors.New("a part of it is missing")

// loadEnd makes the table of the pieces that were loaded. An error says that there was one, and that it cannot be had: then the stream wants it again.
func (t *table) loadEnd() error {
	pieces := t.loaded
	t.loaded = nil
	if len(pieces) == 0 {
		return nil
	}
	for n := range pieces {
		t.pieces = max(t.pieces, n+1)
	}
	at, text, err := joinPieces(pieces)
	if err == nil {
		if reason := t.replace(text, at); reason != "" {
			err = errors.New(reason)
			t.refused = false // by an older version: it is worth another try
		}
		t.dirty = err != nil
	}
	return err
}

func joinPieces(pieces map[uint32][]byte) (at int64, text []byte, err error) {
	var all []byte
	for n := range uint32(len(pieces)) {
		all = append(all, pieces[n]...)
	}
	r := headerReader{b: all}
	if r.take(1)[0] != recordVersion {
		return 0, nil, errPieces
	}
	at = r.varint()
	n := r.uvarint()
	if r.err != nil || n != uint64(len(r.b)) {
		return 0, nil, errPieces
	}
	return at, append([]byte{}, r.b...), nil
}

// takeTable has a message of the table's receiver be the table from here on.
func (s *Stream) takeTable(b *edged.Block, i int) fate {
	t := s.r.table
	if reason := t.replace(b.Payload(i), b.Arrival[i]); reason != "" {
		s.r.reason = fmt.Sprintf("the table of %s: %s; the one before stays in force", t.j.other, reason)
		return isDead
	}
	if !s.out.mute {
		log := s.o.Log.Info
		if t.skipped > 0 {
			log = s.o.Log.Warn
		}
		log("the stream has another table: it is in force for the rows behind it", "stream", s.name, "table", t.j.other, "position", b.Seq, "rows", len(t.rows),
			"rows_without_a_key", t.skipped, "rows_replaced_by_later_ones", t.repeated, "on", strings.Join(keyNames(t.j), ", "))
	}
	return isApplied
}

// keyNames are the fields of the other side that must be equal.
func keyNames(j *join) (names []string) {
	for _, i := range j.keys {
		names = append(names, strings.Join(j.paths[i], "."))
	}
	return names
}
