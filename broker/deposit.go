package broker

import (
	"sync/atomic"

	"edged/broker/wire"
)

// depositBytes bounds what all clients together leave with the broker as long as they are there: wills and topic aliases.
const depositBytes = 16 << 20

// deposits counts it.
type deposits struct{ bytes atomic.Int64 }

// littleDeposit always finds room: those who leave much take nothing from those who leave little.
const littleDeposit = 4 << 10

// take counts n more bytes of a client, own with what it has left before. A client for whom there is no room is refused, with a code
// that an MQTT 5 client can read.
func (d *deposits) take(n, own int) error {
	if d.bytes.Add(int64(n)) <= depositBytes || n <= 0 || own <= littleDeposit {
		return nil
	}
	d.bytes.Add(-int64(n))
	return &wire.Error{Code: wire.QuotaExceeded, Why: "a will or topic alias when those of all clients together took too much memory"}
}

func (d *deposits) give(n int) { d.bytes.Add(-int64(n)) }
