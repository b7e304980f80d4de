package blockstore

import "go.etcd.io/bbolt"

// upgrade brings a store of an older format to the present one: format 2 seals the values with their keys, format 3 has packed blocks beside the others, and in
// format 4 transactions are sealed. A store from format 2 on that has no room for its new number stays what it is, until a start finds room.
func (s *Store) upgrade() error {
	from := s.meta.format
	if from >= formatVersion {
		return nil
	}
	s.log.Info("the store is brought to a newer format", "file", s.path, "from", from, "to", formatVersion)
	s.meta.format = formatVersion
	err := s.db.Update(func(tx *bbolt.Tx) error {
		if from < 2 {
			if err := tx.ForEach(sealWithKeys); err != nil {
				return err
			}
		}
		return s.meta.put(tx)
	})
	if err != nil {
		s.meta.format = from
	}
	if from >= 2 && isFull(err) {
		s.log.Warn("there is no room to bring the store to the newer format: it works on in its own", "file", s.path, "error", err)
		return nil
	}
	return err
}

// sealWithKeys seals the values of a bucket of format 1 as format 2 does.
func sealWithKeys(name []byte, b *bbolt.Bucket) error {
	if name[0] != spacePrefix && string(name) != string(cursorsBucket) {
		return nil
	}
	sealed := map[string][]byte{}
	_ = b.ForEach(func(k, v []byte) error {
		if body, err := unseal(v); err == nil {
			sealed[string(k)] = sealIn(string(name), string(k), append([]byte(nil), body...))
		}
		return nil
	})
	for k, v := range sealed {
		if err := b.Put([]byte(k), v); err != nil {
			return err
		}
	}
	return nil
}
