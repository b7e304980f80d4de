package batches

import (
	"encoding/binary"
	"slices"

	"edged"
	"edged/internal/rowcodec"
)

// group is what has the same group_by values in one window, or one part of it.
type group struct {
	key    string
	values []edged.Value
	accs   []edged.Accumulator
	dirty  bool // changed since the last checkpoint
	saved  bool // the last checkpoint has it
}

func (g *group) append(b []byte) []byte {
	var one []byte
	for _, a := range g.accs {
		one = a.AppendBinary(one[:0])
		b = binary.AppendUvarint(b, uint64(len(one)))
		b = append(b, one...)
	}
	return b
}

// readGroup reads what append wrote. The group's values are in its key.
func (p *Plan) readGroup(key string, value []byte) (*group, error) {
	g := &group{key: key, accs: p.newAccs(), saved: true}
	names := rowcodec.Reader{B: []byte(key)}
	for range p.keys {
		g.values = append(g.values, names.Value())
	}
	r := headerReader{b: value}
	for _, a := range g.accs {
		if err := a.UnmarshalBinary(r.take(r.uvarint())); err != nil {
			return nil, err
		}
	}
	if names.Err != nil || r.err != nil || len(r.b) > 0 {
		return nil, errState
	}
	return g, nil
}

// compare orders groups by what they are grouped by: the order in which they leave.
func (g *group) compare(o *group) int {
	return slices.CompareFunc(g.values, o.values, edged.Value.Compare)
}

// newAccs makes the accumulators of one group.
func (p *Plan) newAccs() []edged.Accumulator {
	accs := make([]edged.Accumulator, len(p.aggs))
	for i := range p.aggs {
		accs[i] = p.aggs[i].kind.New()
	}
	return accs
}
