package remote

// Outbox is a publisher's ledger: taken = published + dropped + waiting, since the start of edged.
type Outbox struct {
	Taken     uint64 `json:"taken"`
	Published uint64 `json:"published"` // acknowledged by the broker, or sent with QoS 0
	Dropped   uint64 `json:"dropped"`   // the oldest, while the broker was away for too long
	Waiting   int    `json:"waiting"`
}

// Outbox returns the present figures.
func (p *Publisher) Outbox() Outbox {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Outbox{p.taken.Get(), p.published.Get(), p.dropped.Get(), len(p.queue)}
}
