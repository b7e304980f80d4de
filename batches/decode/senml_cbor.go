package decode

import (
	"errors"
	"fmt"

	"edged"

	"github.com/fxamacker/cbor/v2"
)

// SenMLCBOR is the kind senml_cbor: RFC 8428 in CBOR (section 6), whose labels are numbers.
var SenMLCBOR = senmlKind(func() senmlParser { return &senmlCBOR{mode: cborMode()} })

type senmlCBOR struct{ mode cbor.DecMode }

func (s *senmlCBOR) parse(payload []byte, record func(*senmlFields) error) error {
	if len(payload) > largePayload {
		large.Lock()
		defer large.Unlock()
	}
	var pack any
	if err := s.mode.Unmarshal(payload, &pack); err != nil {
		return plainCBOR(err)
	}
	list, ok := untagged(pack).([]any)
	if !ok {
		return errNoPack
	}
	for i, r := range list {
		f, err := cborFields(r)
		if err == nil {
			err = record(f)
		}
		if err != nil {
			return fmt.Errorf("record %d: %w", i+1, err)
		}
	}
	return nil
}

var errNoMap = errors.New("not a map")

// cborLabels are those of section 6, table 6, from -6 on.
var cborLabels = [...]int{
	senmlBaseSum, senmlBaseValue, senmlBaseUnit, senmlBaseTime, senmlBaseName, senmlVersion,
	senmlName, senmlUnit, senmlNumber, senmlText, senmlBool, senmlSum, senmlTime, senmlUpdate, senmlData,
}

func cborFields(r any) (*senmlFields, error) {
	m, ok := r.(map[any]any)
	if !ok {
		return nil, errNoMap
	}
	f := &senmlFields{}
	var wrong error // the same one each time, whatever the order of the map
	for key, v := range m {
		n := int64(len(cborLabels))
		switch k := key.(type) {
		case string:
			wrong = firstError(wrong, unknownLabel(k))
		case uint64:
			n = int64(min(k, 100))
		case int64:
			n = k
		}
		if n < -6 || n+6 >= int64(len(cborLabels)) {
			continue
		}
		if !f.set(cborLabels[n+6], treeValue(v)) {
			wrong = firstError(wrong, fmt.Errorf("label %d: not of the type that it must be", n))
		}
	}
	return f, wrong
}

// set sets a field, and reports whether the value is of its type.
func (f *senmlFields) set(label int, v edged.Value) (ok bool) {
	f.has |= 1 << label
	switch label {
	case senmlBaseName, senmlBaseUnit, senmlName, senmlUnit, senmlText:
		f.text[label] = v.Str()
		return v.Kind() == edged.Text
	case senmlData:
		f.text[label] = v.Str()
		return v.Kind() == edged.Bytes
	case senmlBool:
		f.truth = v.Bool()
		return v.Kind() == edged.Bool
	}
	f.num[label], ok = v.Float()
	return ok
}
