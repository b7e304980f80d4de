package daemon

import (
	"fmt"
	"sync"
	"time"

	"edged/batches"
	"edged/receiver"
	"edged/sinks/delivery"

	"github.com/VictoriaMetrics/metrics"
)

// pressure brings what streams and sinks say of their batches to the receivers that it concerns: a stream's to the receivers with backpressure
// = true that it reads, a sink's, if the sink has backpressure = true, to all receivers of its streams. Rows of another stream are so many messages of
// that stream's receivers as it made them of.
type pressure struct {
	set *metrics.Set
	now func() *parts

	mu    sync.Mutex
	flows map[string]*flow // by stream
}

// flow is what went through a stream lately: how many messages of each receiver, and how many rows came of them.
type flow struct {
	messages map[string]float64
	rows     float64
}

// forgetAt bounds a flow: what is older than so many rows and messages counts half, and half again.
const forgetAt = 1 << 20

// longestChain bounds how many streams are followed back to a receiver.
const longestChain = 16

func newPressure(set *metrics.Set, now func() *parts) *pressure {
	return &pressure{set: set, now: now, flows: map[string]*flow{}}
}

// forget drops what a consumer has said that is no more: "stream NAME" or "sink NAME". One that takes its place begins anew.
func (p *pressure) forget(by string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, in := range p.now().inputs {
		in.Generator.Forget(by)
	}
}

// stream returns what a stream calls after its steps.
func (p *pressure) stream(name string) func(batches.Report) {
	f := &flow{messages: map[string]float64{}}
	p.mu.Lock()
	p.flows[name] = f
	p.mu.Unlock()
	return func(r batches.Report) {
		p.mu.Lock()
		defer p.mu.Unlock()
		f.rows += float64(r.Rows)
		most := f.rows
		batch := map[string]float64{}
		for from, n := range r.Messages {
			f.messages[from] += float64(n)
			most = max(most, f.messages[from])
			p.trace(batch, from, float64(n), longestChain)
		}
		for from, n := range batch {
			if in := p.now().input(from); in != nil && in.slows {
				p.tell(from, "stream "+name, receiver.Batch{Messages: n, Took: r.Took, Delay: r.Delay})
			}
		}
		if most > forgetAt {
			p.halve()
		}
	}
}

// trace adds to a batch what n messages come to in messages of receivers: those of a stream are rows that it made of others. steps bounds the length of a chain.
// The lock is held.
func (p *pressure) trace(batch map[string]float64, from string, n float64, steps int) {
	f := p.flows[from]
	if f == nil || p.now().input(from) != nil || steps == 0 {
		batch[from] += n
		return
	}
	for before, m := range f.messages {
		p.trace(batch, before, n*m/max(f.rows, 1), steps-1)
	}
}

// halve halves all flows, so that they stay in proportion.
func (p *pressure) halve() {
	for _, f := range p.flows {
		f.rows /= 2
		for from := range f.messages {
			f.messages[from] /= 2
		}
	}
}

// sink returns what a sink calls after its writes. Its rows are turned into messages in the proportion in which its streams made rows of messages
// so far. What waits for it is what it is behind: the time that it needs for it, beyond a batch interval.
func (p *pressure) sink(name string, streams []string) func(delivery.Report) {
	return func(r delivery.Report) {
		p.mu.Lock()
		defer p.mu.Unlock()
		rows, messages := 0.0, map[string]float64{}
		for _, s := range streams {
			if f := p.flows[s]; f != nil {
				rows += f.rows
				of := map[string]float64{}
				for from, n := range f.messages {
					p.trace(of, from, n, longestChain)
				}
				for from, n := range of {
					messages[from] = max(messages[from], n) // two streams of one receiver see the same messages
				}
			}
		}
		if rows == 0 {
			return
		}
		behind := time.Duration(float64(r.Waiting) / float64(r.Rows) * float64(r.Took))
		for from, n := range messages {
			p.tell(from, "sink "+name, receiver.Batch{Messages: float64(r.Rows) * n / rows, Took: r.Took, Delay: max(0, behind-p.now().c.Batch.Interval.D())})
		}
	}
}

// tell brings a batch to a receiver, and shows it. The lock is held.
func (p *pressure) tell(from, by string, b receiver.Batch) {
	in := p.now().input(from)
	if in == nil {
		return // nothing is taken in
	}
	in.Generator.Report(by, b)
	label := fmt.Sprintf("{receiver=%q,by=%q}", from, by)
	p.set.GetOrCreateGauge("edged_receiver_batch_messages"+label, nil).Set(b.Messages)
	p.set.GetOrCreateGauge("edged_receiver_batch_seconds"+label, nil).Set(b.Took.Seconds())
	p.set.GetOrCreateGauge("edged_receiver_batch_delay_seconds"+label, nil).Set(b.Delay.Seconds())
}
