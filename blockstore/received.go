package blockstore

import (
	"fmt"

	"edged"

	"go.etcd.io/bbolt"
)

// noteReceived writes down the identities in a round's blocks. It comes after the round's puts: an identifier that was released can be used
// again. The value is the number of copies of the message that are still to come.
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
			missing := o.Copies - 1
			if o.Copies > 1 {
				if v, err := unsealIn(string(space), o.Key(), b.Get(key)); err == nil && len(v) == 1 && v[0] > 0 {
					missing = v[0] - 1
				}
			}
			if err := b.Put(key, sealIn(string(space), o.Key(), []byte{missing})); err != nil {
				return fmt.Errorf("space %s: %w", edged.SpaceReceived, err)
			}
		}
	}
	return nil
}
