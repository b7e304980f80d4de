package blockstore

import (
	"encoding/binary"
	"fmt"

	"edged"

	"go.etcd.io/bbolt"
)

// ReceivedSpace holds the QoS 2 publishes that were stored and not released by their clients. The committer writes them with their
// blocks; whoever handles PUBREL deletes them with a Put.
const ReceivedSpace = "received"

// ReceivedKey is the key of a publish in ReceivedSpace: the client, NUL, and the packet identifier.
func ReceivedKey(client string, id uint16) string {
	return client + string(binary.BigEndian.AppendUint16([]byte{0}, id))
}

// ReceivedFrom takes a key and a value of ReceivedSpace apart. whole is false if copies of the message are missing: then it was not
// received, and a repeat of it is to be taken.
func ReceivedFrom(key string, value []byte) (client string, id uint16, whole, ok bool) {
	n := len(key) - 3
	if n < 0 || key[n] != 0 || len(value) != 1 {
		return "", 0, false, false
	}
	return key[:n], binary.BigEndian.Uint16([]byte(key[n+1:])), value[0] == 0, true
}

// noteReceived writes down the identities in a round's blocks. It comes after the round's puts: an identifier that was released can be used
// again. The value is the number of copies of the message that are still to come.
func noteReceived(tx *bbolt.Tx, parcels []edged.Parcel) error {
	for _, p := range parcels {
		for _, o := range p.Block.Origins {
			if o.Copies == 0 {
				continue
			}
			b, err := tx.CreateBucketIfNotExists(spaceKey(ReceivedSpace))
			if err != nil {
				return fmt.Errorf("space %s: %w", ReceivedSpace, err)
			}
			key := []byte(ReceivedKey(o.Client, o.PacketID))
			missing := o.Copies - 1
			if o.Copies > 1 {
				if v, err := unseal(b.Get(key)); err == nil && len(v) == 1 && v[0] > 0 {
					missing = v[0] - 1
				}
			}
			if err := b.Put(key, seal([]byte{missing})); err != nil {
				return fmt.Errorf("space %s: %w", ReceivedSpace, err)
			}
		}
	}
	return nil
}
