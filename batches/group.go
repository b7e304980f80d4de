package batches

import (
	"encoding/binary"
	"strings"

	"edged"
	"edged/internal/rowcodec"
)

// group is what has the same group_by values in one window, or one part of it.
type group struct {
	key    string
	values []edged.Value
	accs   []edged.Accumulator
	dirty  bool   // changed since the last checkpoint
	saved  bool   // the last checkpoint has it
	fresh  bool   // changed since it was last given
	slide  *slide // of a pane's group, in sliding windows
}

// take takes a row.
func (g *group) take(in *arrived) {
	input := in.reader.p.input
	for i, a := range g.accs {
		a.Add(in.args[input[i]], in.at)
	}
	g.dirty = true
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
	values, err := p.readKey(key)
	if err != nil {
		return nil, err
	}
	g := &group{key: key, values: values, accs: p.newAccs(), saved: true}
	r := headerReader{b: value}
	for _, a := range g.accs {
		if err := a.UnmarshalBinary(r.take(r.uvarint())); err != nil {
			return nil, err
		}
	}
	if r.err != nil || len(r.b) > 0 {
		return nil, errState
	}
	return g, nil
}

// readKey reads the values that a group's key is made of.
func (p *Plan) readKey(key string) (values []edged.Value, err error) {
	names := rowcodec.Reader{B: []byte(key)}
	for range p.keys {
		values = append(values, names.Value())
	}
	if names.Err != nil || len(names.B) > 0 {
		return nil, errState
	}
	return values, nil
}

// compare orders groups by what they are grouped by: the order in which they leave.
func (g *group) compare(o *group) int {
	for i, v := range g.values {
		if c := v.Compare(o.values[i]); c != 0 {
			return c
		}
	}
	return strings.Compare(g.key, o.key)
}

// newAccs makes the accumulators of one group.
func (p *Plan) newAccs() []edged.Accumulator {
	accs := make([]edged.Accumulator, len(p.aggs))
	for i := range p.aggs {
		accs[i] = p.aggs[i].kind.New()
	}
	return accs
}
