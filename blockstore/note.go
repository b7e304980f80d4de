package blockstore

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// Note is one time that something of the store was damaged: what was found, where it is now, and what it was possible to keep. It
// stays in the store until somebody has it forgotten.
type Note struct {
	Name string    `json:"name"` // to forget it by
	At   time.Time `json:"at"`
	Why  string    `json:"why"`
	File string    `json:"file,omitempty"` // the damaged file, if a new one has taken its place

	Entries        int      `json:"entries,omitempty"`         // log entries that were salvaged
	BadEntries     int      `json:"bad_entries,omitempty"`     // that are there and cannot be read
	MissingEntries uint64   `json:"missing_entries,omitempty"` // numbers between the first and the last that are not there
	Cursors        int      `json:"cursors,omitempty"`
	OldCursors     []string `json:"old_cursors,omitempty"`  // an older copy was found
	LostCursors    []string `json:"lost_cursors,omitempty"` // none was
	NoCursors      bool     `json:"no_cursors,omitempty"`   // not even all names are known
	Values         int      `json:"values,omitempty"`
	BadValues      []string `json:"bad_values,omitempty"` // space/key
	TornSpaces     []string `json:"torn_spaces,omitempty"`
	Older          bool     `json:"older,omitempty"`    // what is known is perhaps the state before the last commit
	BadMore        int      `json:"bad_more,omitempty"` // more than are named
}

const notePrefix = "note/"

// namesKept bounds the names in a note.
const namesKept = 20

// Sentence says it to a person.
func (n *Note) Sentence() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	if n.File != "" {
		p("the store was damaged, found %s (%s): what can be read of it is in a new store, the old one is left as %s. ", n.At.Local().Format(time.DateTime), n.Why, n.File)
		p("Salvaged: %d log entries, %d cursors, %d values", n.Entries, n.Cursors, n.Values)
	} else {
		p("a part of the store was damaged, found %s (%s)", n.At.Local().Format(time.DateTime), n.Why)
	}
	if n.BadEntries > 0 || n.MissingEntries > 0 {
		p("; %d log entries cannot be read, and %d numbers between the first and the last are not there: messages in them are lost, and counted as damaged as far as they are known", n.BadEntries, n.MissingEntries)
	}
	if n.Older {
		p("; this is perhaps the state before the last commit: what was delivered then comes again")
	}
	if len(n.OldCursors) > 0 {
		p("; of %s an older copy is used: what they passed since then comes again", strings.Join(n.OldCursors, ", "))
	}
	if len(n.LostCursors) > 0 {
		p("; %s begin again with the oldest entry that is kept: what they passed before can come again", strings.Join(n.LostCursors, ", "))
	}
	if n.NoCursors {
		p("; who else had a cursor is not known: whatever is configured and has none begins with the oldest entry that is kept")
	}
	if len(n.TornSpaces) > 0 {
		p("; a part of the values of %s is lost", strings.Join(n.TornSpaces, ", "))
	}
	if len(n.BadValues) > 0 {
		p("; values that cannot be read: %s", strings.Join(n.BadValues, ", "))
		if n.BadMore > 0 {
			p(" and %d more", n.BadMore)
		}
	}
	p(". Check the card or disk (dmesg). ")
	if n.File != "" {
		p("Keep the old file as long as it may be asked for (edged store export --file); then: ")
	} else {
		p("The damaged bytes are kept in the store; then: ")
	}
	p("edged store forget %s", n.Name)
	return b.String()
}

func (n *Note) badValue(bucket, key string) {
	if len(n.BadValues) == namesKept {
		n.BadMore++
		return
	}
	n.BadValues = append(n.BadValues, fmt.Sprintf("%s %q", bucketName(bucket), key))
}

// bucketName is how a bucket is called in front of people.
func bucketName(bucket string) string {
	if strings.HasPrefix(bucket, string(rune(spacePrefix))) {
		return bucket[1:]
	}
	return bucket
}

// write puts the note into the store.
func (n *Note) write(tx *bbolt.Tx) error {
	b, err := tx.CreateBucketIfNotExists(asideBucket)
	if err != nil {
		return err
	}
	name := n.At.UTC().Format("20060102T150405Z")
	for i := 2; b.Get([]byte(notePrefix+name)) != nil; i++ {
		name = fmt.Sprintf("%s-%d", n.At.UTC().Format("20060102T150405Z"), i)
	}
	n.Name = notePrefix + name
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return b.Put([]byte(n.Name), sealIn(string(asideBucket), n.Name, text))
}

func readNote(key string, v []byte) (Note, error) {
	n := Note{Name: key}
	text, err := unsealIn(string(asideBucket), key, v)
	if err == nil {
		err = json.Unmarshal(text, &n)
	}
	if err != nil {
		n.Why = "what was damaged cannot be read any more: " + err.Error()
	}
	return n, err
}

// loadNotes reads what was damaged before.
func (s *Store) loadNotes(tx *bbolt.Tx) {
	b := tx.Bucket(asideBucket)
	if b == nil {
		return
	}
	_ = b.ForEach(func(k, v []byte) error {
		if strings.HasPrefix(string(k), notePrefix) {
			n, _ := readNote(string(k), v)
			s.pub.notes = append(s.pub.notes, n)
		}
		return nil
	})
}

// Notes are what was damaged, and not forgotten yet.
func (s *Store) Notes() []Note {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Note(nil), s.pub.notes...)
}
