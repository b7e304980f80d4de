package blockstore

import (
	"fmt"
	"slices"
	"strings"

	"edged"

	"go.etcd.io/bbolt"
)

// ForgetNote has what was damaged not said any more, and gives up the bytes that were set aside. It is for a note's name.
func (s *Store) ForgetNote(name string) error {
	at := slices.IndexFunc(s.Notes(), func(n Note) bool { return n.Name == name })
	if at < 0 {
		return fmt.Errorf("the store has no %s", name)
	}
	err := s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(asideBucket)
		if b == nil {
			return nil
		}
		if err := b.Delete([]byte(name)); err != nil || len(s.Notes()) > 1 {
			return err
		}
		return dropAside(tx, b)
	})
	if err != nil {
		return fmt.Errorf("%s cannot be forgotten: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pub.notes = slices.DeleteFunc(s.pub.notes, func(n Note) bool { return n.Name == name })
	return nil
}

// dropAside deletes what was set aside, and what stands for values that are gone, when the last note is.
func dropAside(tx *bbolt.Tx, b *bbolt.Bucket) error {
	var keys [][]byte
	_ = b.ForEach(func(k, _ []byte) error {
		if !strings.HasPrefix(string(k), notePrefix) {
			keys = append(keys, append([]byte(nil), k...))
		}
		return nil
	})
	for _, k := range keys {
		bucket, key, _ := strings.Cut(strings.TrimPrefix(string(k), "value/"), "\x00")
		if space := tx.Bucket([]byte(bucket)); space != nil && bucket[0] == spacePrefix {
			if v := space.Get([]byte(key)); v != nil {
				if _, err := readValue(bucket, key, v); err != nil { // else somebody has written it since
					if err := space.Delete([]byte(key)); err != nil {
						return err
					}
				}
			}
		}
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// Forgetting is the update that forgets something that is no longer configured: a stream, a sink, a cursor, or session/ID: the topics of
// a session at an external broker. known are the names of the cursors of the configuration, sessions the client ids; of these nothing
// is forgotten.
func Forgetting(name string, cursors []edged.Cursor, topics, known, sessions []string) (*edged.Update, error) {
	u := &edged.Update{}
	if id, ok := strings.CutPrefix(name, "session/"); ok {
		switch {
		case slices.Contains(sessions, id):
			return nil, fmt.Errorf("the session %s is configured, and is not forgotten: remove its receiver from the configuration first, then: edged reload", id)
		case !slices.Contains(topics, id):
			return nil, fmt.Errorf("the store knows no session %s", id)
		}
		u.Puts = append(u.Puts, edged.Put{Space: "topics", Key: id})
		return u, nil
	}
	for _, c := range cursors {
		stream, sink, delivery := edged.SplitDelivery(c.Name)
		side, isSide := strings.CutPrefix(c.Name, edged.SideCursor(""))
		switch {
		case c.Name == name, c.Name == edged.StreamCursor(name), c.Name == "sink/"+name:
		case delivery && (stream == name || edged.StreamOf(stream) == name || sink == name):
		case isSide && (side == name || edged.StreamOf(side) == name):
		default:
			continue
		}
		if slices.Contains(known, c.Name) {
			return nil, fmt.Errorf("%s is configured, and is not forgotten: remove it from the configuration first, then: edged reload", c.Name)
		}
		u.Forget = append(u.Forget, c.Name)
	}
	if len(u.Forget) == 0 {
		return nil, fmt.Errorf("the store knows nothing of the name %s; edged store ls lists what it knows", name)
	}
	slices.Sort(u.Forget)
	return u, nil
}
