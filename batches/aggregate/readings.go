package aggregate

import (
	"encoding/binary"

	"edged"
)

// readings is what several aggregates keep of a value that changes over time: the ends of the stretch, and the sum of what lies between each
// two neighbours. A reading whose time is before that of the last one is out of order, and left out: time goes forward only.
type readings struct {
	*rule
	sum         sum // of what lies between; its n is the number of readings
	first, last float64
	from, to    int64 // times of the first and the last reading, ns
}

// rule is what makes one aggregate of readings different from another.
type rule struct {
	value   func(edged.Value) (x float64, ok bool) // what a row's value is as a reading; not ok: it is none
	between func(x, y float64, ns float64) float64 // what two neighbours add that are ns nanoseconds apart
	result  func(r *readings, w edged.Window, prev *readings) edged.Value
}

func (r *rule) accumulator() edged.Accumulator { return &readings{rule: r} }

func (r *readings) Add(v edged.Value, at int64) {
	x, ok := r.value(v)
	switch {
	case !ok || r.some() && at < r.to:
		return
	case r.some():
		r.sum.add(r.between(r.last, x, float64(at-r.to)))
	default:
		r.first, r.from = x, at
	}
	r.sum.n++
	r.last, r.to = x, at
}

func (r *readings) some() bool { return r.sum.n > 0 }

func (r *readings) Merge(later edged.Accumulator) { r.join(later.(*readings)) }

// join appends a later stretch.
func (r *readings) join(b *readings) {
	switch {
	case !b.some() || r.some() && b.to < r.to:
		return
	case !r.some():
		*r = *b
		return
	}
	r.sum.add(r.between(r.last, b.first, float64(max(0, b.from-r.to))))
	r.sum.merge(&b.sum)
	r.last, r.to = b.last, b.to
}

// after is the stretch that begins with the last reading before it, if there is one.
func (r *readings) after(prev *readings) readings {
	if prev == nil || !prev.some() {
		return *r
	}
	all := readings{rule: r.rule, sum: sum{n: 1}, first: prev.last, last: prev.last, from: prev.to, to: prev.to}
	all.join(r)
	return all
}

// held is the sum over a window in which each reading holds until the next one and the last to the window's end, and the one before the window
// from its beginning; and the length of what is known of the window, which begins with the first reading if there is none before it.
func (r *readings) held(w edged.Window, prev *readings) (total, ns float64) {
	all := *r
	if prev != nil && prev.some() {
		before := *prev
		before.to = w.Start
		all = r.after(&before)
	}
	if !all.some() || w.End <= all.from {
		return 0, 0
	}
	all.sum.add(all.between(all.last, all.last, float64(max(0, w.End-all.to))))
	return all.sum.total(), float64(w.End - all.from)
}

func (r *readings) Result(w edged.Window, prev edged.Accumulator) edged.Value {
	before, _ := prev.(*readings)
	return r.result(r, w, before)
}

func (r *readings) AppendBinary(b []byte) []byte {
	b = appendFloats(b, r.sum.s, r.sum.c, r.sum.n, r.first, r.last)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.from))
	return binary.LittleEndian.AppendUint64(b, uint64(r.to))
}

func (r *readings) UnmarshalBinary(b []byte) error {
	if len(b) != 56 {
		return errState
	}
	r.from, r.to = int64(binary.LittleEndian.Uint64(b[40:])), int64(binary.LittleEndian.Uint64(b[48:]))
	return readFloats(b[:40], &r.sum.s, &r.sum.c, &r.sum.n, &r.first, &r.last)
}

// number takes numbers as readings.
func number(v edged.Value) (float64, bool) { return v.Float() }

// truth takes true as 1 and false as 0; a number is true if it is not 0.
func truth(v edged.Value) (float64, bool) {
	if x, ok := v.Float(); ok {
		return indicator(x != 0), true
	}
	return indicator(v.Bool()), v.Kind() == edged.Bool
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// holding is what a value adds that holds until the next one.
func holding(x, _, ns float64) float64 { return x * ns }
