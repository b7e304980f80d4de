package gpio

import "time"

// PinStatus is what status shows of a pin. Seq = Readings + Dropped + what waits in the outbox.
type PinStatus struct {
	Name         string    `json:"name"`
	Line         string    `json:"line"`
	Topic        string    `json:"topic"`
	State        string    `json:"state"`                   // starting, running, waiting (will be tried again), stopped (cannot work), ended
	Value        *float64  `json:"value"`                   // the last reading's, null before the first
	At           time.Time `json:"at,omitzero"`             // its time
	Seq          uint64    `json:"seq"`                     // readings that were due since the start of edged
	Readings     uint64    `json:"readings"`                // taken by the broker
	Dropped      uint64    `json:"dropped"`                 // not taken by it, or missed
	Bounces      uint64    `json:"bounces"`                 // edges that debouncing left out
	LastError    string    `json:"last_error,omitempty"`    // of the line; also one that is over
	PublishError string    `json:"publish_error,omitempty"` // why readings are dropped at present
}

func (p *pin) status() PinStatus {
	part := p.part.State()
	s := PinStatus{Name: p.cfg.Name, Line: p.cfg.Line, Topic: p.topic, State: part.State, LastError: part.LastErr}
	if s.State == "" {
		s.State = "starting"
	}
	p.mu.Lock()
	if p.last.seq > 0 {
		value := p.last.value
		s.Value, s.At = &value, p.last.at.UTC()
	}
	s.Seq, s.Bounces = p.seq, p.bounced
	p.mu.Unlock()
	p.tally.mu.Lock()
	s.Readings, s.Dropped, s.PublishError = p.tally.ok, p.tally.drops, p.tally.lastReason
	p.tally.mu.Unlock()
	return s
}
