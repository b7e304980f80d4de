package blockstore

import (
	"fmt"

	"edged"

	"go.etcd.io/bbolt"
)

// noteReceived writes down the identities in a round's blocks. It comes after the round's puts: an identifier that was released can be used
// again. What cannot be read of an identity begins again.
func noteReceived(tx *bbolt.Tx, parcels []edged.Parcel) error {
	for _, p := range parcels {
		for _, o := range p.Block.Origins {
			if o.Copies == 0 {
				continue
			}
			space := spaceKey(edged.SpaceReceived)
			b, err := tx.CreateBucketIfNotExists(space)
			if err != nil {
				return fmt.Errorf("space %s: %w", edged.SpaceReceived, err)
			}
			key := []byte(o.Key())
			var before []byte
			if v, err := unsealIn(string(space), o.Key(), b.Get(key)); err == nil {
				before = v
			}
			if err := b.Put(key, sealIn(string(space), o.Key(), o.Received(before, p.Block.Receiver, p.Block.Kept(int(o.Index))))); err != nil {
				return fmt.Errorf("space %s: %w", edged.SpaceReceived, err)
			}
		}
	}
	return nil
}
