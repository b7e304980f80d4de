package batches

import (
	"math"
	"strings"

	"edged"
)

// Bound is an estimate of what a stream remembers at most: the size in which accumulators are saved, and what a group has around them in memory.
// What is counted in bins is saved more compactly than it is held, by up to a factor of eight.
type Bound struct {
	Groups int    `json:"max_groups"`
	Parts  int64  `json:"parts"`            // stretches of time that have groups of their own; 0 without a window
	Least  int64  `json:"group_bytes"`      // a group in one of them with one row
	Most   int64  `json:"group_bytes_most"` // with many different ones
	Grows  bool   `json:"grows"`            // Most is no bound: with more of them it is more
	Joined string `json:"joined,omitempty"` // what the join holds besides, in words
	Key    int64  `json:"key_bytes"`        // what changed, deadband, throttle, sample and lag remember of a key, at most
}

// Bytes are those of all groups and keys, between a row in each and many.
func (b *Bound) Bytes() (least, most int64) {
	n := int64(b.Groups)
	return n * (b.Parts*b.Least + b.Key), n * (b.Parts*b.Most + b.Key)
}

const (
	probes = 16384
	// What a group is in memory besides its accumulators: its key, which is guessed, itself, its place in the map; and each accumulator's header.
	groupSize       = 256
	accumulatorSize = 48
)

// bound is nil for a stream that remembers nothing.
func (p *Plan) bound() *Bound {
	if !p.Logged() {
		return nil
	}
	b := &Bound{Groups: p.groups, Joined: p.join.bound()}
	if p.Windowed() {
		b.Parts = p.parts()
		g := &group{accs: p.newAccs()}
		p.probe(g, 0)
		around := int64(groupSize + accumulatorSize*len(g.accs))
		b.Least = int64(len(g.append(nil))) + around
		for i := 1; i < probes/2; i++ {
			p.probe(g, i)
		}
		half := len(g.append(nil))
		for i := probes / 2; i < probes; i++ {
			p.probe(g, i)
		}
		all := len(g.append(nil))
		b.Most, b.Grows = int64(all)+around, all > half+half/10
	}
	if p.remembers() {
		e := &remembered{lags: make([]edged.Value, len(p.lags)), last: edged.NumberValue(1)}
		b.Key = int64(len(e.append(nil))) + groupSize
		b.Key += int64(maxText * len(p.lags))
		if p.changed != nil {
			b.Key += maxText
		}
	}
	return b
}

// parts is how many stretches of time are open at once: those of a window, and those that late rows and rows ahead of their time can be in.
func (p *Plan) parts() int64 {
	pane := p.window.PaneSize()
	if pane <= 0 {
		return 1
	}
	n := (p.window.Size + pane - 1) / pane
	if p.time.field != nil {
		n += (p.time.lateness + p.time.maxFuture + pane - 1) / pane
	}
	if p.looksBack() {
		n++ // what was before them: one a group, of which less is kept
	}
	return n
}

var longText = strings.Repeat("x", maxText)

// probe adds row i to a group: numbers far apart, of both signs, in an order without pattern, and the longest text where one is kept.
func (p *Plan) probe(g *group, i int) {
	share := math.Mod(float64(i)*math.Phi, 1)
	x := edged.NumberValue(math.Copysign(math.Pow(10, 16*share-8), float64(i%2)-0.5))
	if i == 0 {
		x = edged.NumberValue(1)
	}
	for j, acc := range g.accs {
		v := x
		if p.aggs[j].kind.Keeps && i > 0 {
			v = edged.TextValue(longText)
		}
		acc.Add(v, int64(i)*1e9)
	}
}
