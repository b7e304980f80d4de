package daemon

import (
	"bytes"
	"fmt"
	"strings"

	"edged"
	"edged/blockstore"
)

// spaceReceivers is the space of the store for what receivers have to know after a restart, by the receiver's name.
const spaceReceivers = "receivers"

// notes gives receivers' notes a place in the store.
type notes struct{ s *blockstore.Store }

// Load implements receiver.Notes.
func (n notes) Load(name string) (value []byte, err error) {
	var lost error // values whose keys are gone, too
	found := false
	verr := n.s.Values(spaceReceivers, func(key string, v []byte, damaged error) error {
		switch {
		case key == name:
			found, value, err = true, bytes.Clone(v), damaged
		case damaged != nil && strings.HasPrefix(key, "\x00"):
			lost = damaged
		}
		return nil
	})
	switch {
	case verr != nil:
		return nil, fmt.Errorf("what receiver %s knew cannot be read: %w", name, verr)
	case err != nil:
		return nil, err
	case !found:
		return nil, lost
	}
	return value, nil
}

// Save implements receiver.Notes. It is no intake: when the store is full, progress is what makes room.
func (n notes) Save(name string, value []byte, done func(error)) {
	n.s.Submit(&edged.Update{Puts: []edged.Put{{Space: spaceReceivers, Key: name, Value: value}}}, false, done)
}
