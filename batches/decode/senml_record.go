package decode

import (
	"errors"
	"fmt"
	"math"

	"edged"
)

// The fields of a record. A bit of senmlFields.has says that one is there.
const (
	senmlVersion = iota
	senmlBaseName
	senmlBaseTime
	senmlBaseUnit
	senmlBaseValue
	senmlBaseSum
	senmlName
	senmlUnit
	senmlNumber
	senmlText
	senmlBool
	senmlSum
	senmlTime
	senmlUpdate
	senmlData
	senmlLabels
)

// senmlFields is a record as it came.
type senmlFields struct {
	has   uint32
	text  [senmlLabels]string
	num   [senmlLabels]float64
	truth bool
}

func (f *senmlFields) is(label int) bool { return f.has&(1<<label) != 0 }

// senmlBase is what base fields said so far.
type senmlBase struct {
	name, unit       string
	time, value, sum float64
	version          float64
	hasValue, hasSum bool
}

// resolve takes a record's base fields, and adds it to the records if it is a row.
func (d *senmlDecoder) resolve(f *senmlFields) error {
	b := &d.base
	if err := b.take(f); err != nil {
		return err
	}
	values := 0
	for _, label := range []int{senmlNumber, senmlText, senmlBool, senmlData} {
		if f.is(label) {
			values++
		}
	}
	switch {
	case values > 1:
		return errors.New("more values than one")
	case f.has>>senmlName == 0:
		return nil // base fields only
	case values == 0 && !f.is(senmlSum) && !b.hasValue && !b.hasSum:
		return errors.New("neither a value nor a sum")
	case len(d.records) == MaxRows:
		return fmt.Errorf("more than %d", MaxRows)
	}
	var r senmlRecord
	if r.name = d.join(b.name, f.text[senmlName]); r.name == "" {
		return errors.New("no name")
	}
	r.unit = b.unit
	if f.is(senmlUnit) {
		r.unit = f.text[senmlUnit]
	}
	r.value = d.value(f)
	if f.is(senmlSum) || b.hasSum {
		r.sum = edged.NumberValue(b.sum + f.num[senmlSum])
	}
	if f.is(senmlUpdate) {
		r.update = edged.NumberValue(f.num[senmlUpdate])
	}
	var err error
	r.time, err = d.time(b.time, f.num[senmlTime])
	d.records = append(d.records, r)
	return err
}

// take notes a record's base fields.
func (b *senmlBase) take(f *senmlFields) error {
	if f.is(senmlVersion) {
		v := f.num[senmlVersion]
		if v > 10 || v < 1 || v != math.Trunc(v) {
			return fmt.Errorf("version %v; this gateway reads those up to 10", v)
		}
		if b.version != 0 && b.version != v {
			return errors.New("the version changes within a pack")
		}
		b.version = v
	}
	if f.is(senmlBaseName) {
		b.name = f.text[senmlBaseName]
	}
	if f.is(senmlBaseTime) {
		b.time = f.num[senmlBaseTime]
	}
	if f.is(senmlBaseUnit) {
		b.unit = f.text[senmlBaseUnit]
	}
	if f.is(senmlBaseValue) {
		b.value, b.hasValue = f.num[senmlBaseValue], true
	}
	if f.is(senmlBaseSum) {
		b.sum, b.hasSum = f.num[senmlBaseSum], true
	}
	return nil
}

func (d *senmlDecoder) value(f *senmlFields) edged.Value {
	switch {
	case f.is(senmlText):
		return edged.TextValue(f.text[senmlText])
	case f.is(senmlBool):
		return edged.BoolValue(f.truth)
	case f.is(senmlData):
		return edged.BytesValue(f.text[senmlData])
	case f.is(senmlNumber) || d.base.hasValue:
		return edged.NumberValue(d.base.value + f.num[senmlNumber])
	}
	return edged.Value{}
}

// join makes a name of its base and the rest.
func (d *senmlDecoder) join(base, name string) string {
	switch {
	case base == "":
		return name
	case name == "":
		return base
	}
	from := len(d.texts)
	d.texts = append(append(d.texts, base...), name...)
	return view(d.texts[from:])
}

// senmlRelative is the time, in seconds, below which one is relative.
const senmlRelative = 1 << 28

// time adds a time to its base, in seconds. What is less than a microsecond in a number of seconds since 1970 is only its rounding.
func (d *senmlDecoder) time(base, t float64) (ns int64, err error) {
	const most = 9e9 // about what nanoseconds hold
	if !(math.Abs(base) <= most && math.Abs(t) <= most && math.Abs(base+t) <= most) {
		return 0, errors.New("its time is beyond what nanoseconds hold")
	}
	ns = micros(base) + micros(t)
	if base+t >= senmlRelative {
		return ns, nil
	}
	if d.arrived == 0 {
		return 0, errors.New("its time is relative to the arrival of the message, which is not known")
	}
	return d.arrived + ns, nil
}

// micros is a number of seconds in nanoseconds, rounded to microseconds.
func micros(s float64) int64 {
	whole := math.Trunc(s)
	return int64(whole)*1e9 + int64(math.Round((s-whole)*1e6))*1e3
}
