package decode

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/valyala/fastjson"
)

// SenML is the kind senml: RFC 8428 in JSON.
var SenML = senmlKind(func() senmlParser { return &senmlJSON{} })

type senmlJSON struct {
	p    fastjson.Parser
	f    senmlFields
	data []byte // of records
}

func (s *senmlJSON) parse(payload []byte, record func(*senmlFields) error) error {
	if err := checkJSON(payload); err != nil {
		return err
	}
	s.data = emptied(s.data)
	p := &s.p
	if len(payload) > largePayload {
		large.Lock()
		defer large.Unlock()
		p = new(fastjson.Parser)
	}
	v, err := p.ParseBytes(payload)
	if err != nil {
		return explain(payload)
	}
	pack, err := v.Array()
	if err != nil {
		return errNoPack
	}
	for i, r := range pack {
		err := s.read(r)
		if err == nil {
			err = record(&s.f)
		}
		if err != nil {
			return fmt.Errorf("record %d: %w", i+1, err)
		}
	}
	return nil
}

var errNoPack = errors.New("no SenML pack: want an array of records")

func (s *senmlJSON) read(r *fastjson.Value) (err error) {
	s.f = senmlFields{}
	o, err := r.Object()
	if err != nil {
		return errors.New("not an object")
	}
	o.Visit(func(key []byte, v *fastjson.Value) {
		if err == nil {
			err = s.field(key, v)
		}
	})
	return err
}

func (s *senmlJSON) field(key []byte, v *fastjson.Value) error {
	f := &s.f
	label, ok := senmlLabel(key)
	if !ok {
		return unknownLabel(view(key))
	}
	if f.is(label) {
		return fmt.Errorf("%s is there twice", key)
	}
	f.has |= 1 << label
	var err error
	switch label {
	case senmlBaseName, senmlBaseUnit, senmlName, senmlUnit, senmlText:
		var text []byte
		text, err = v.StringBytes()
		f.text[label] = view(text)
	case senmlData:
		f.text[label], err = s.bytes(v)
	case senmlBool:
		f.truth, err = v.Bool()
	default:
		f.num[label], err = v.Float64()
	}
	if err != nil {
		return fmt.Errorf("%s: not of the type that it must be", key)
	}
	return nil
}

// bytes reads base64 in the alphabet for URLs, without padding (section 5).
func (s *senmlJSON) bytes(v *fastjson.Value) (string, error) {
	text, err := v.StringBytes()
	if err != nil {
		return "", err
	}
	from := len(s.data)
	s.data, err = base64.RawURLEncoding.AppendDecode(s.data, text)
	return view(s.data[from:]), err
}

// unknownLabel is nil for a label that may be passed over; one that ends with _ must be understood (section 4.4).
func unknownLabel(label string) error {
	if strings.HasSuffix(label, "_") {
		return fmt.Errorf("the field %q must be understood, and this gateway does not", clip([]byte(label)))
	}
	return nil
}

// senmlLabel knows the labels of section 12.2, table 4.
func senmlLabel(key []byte) (label int, ok bool) {
	switch string(key) {
	case "bver":
		return senmlVersion, true
	case "bn":
		return senmlBaseName, true
	case "bt":
		return senmlBaseTime, true
	case "bu":
		return senmlBaseUnit, true
	case "bv":
		return senmlBaseValue, true
	case "bs":
		return senmlBaseSum, true
	case "n":
		return senmlName, true
	case "u":
		return senmlUnit, true
	case "v":
		return senmlNumber, true
	case "vs":
		return senmlText, true
	case "vb":
		return senmlBool, true
	case "s":
		return senmlSum, true
	case "t":
		return senmlTime, true
	case "ut":
		return senmlUpdate, true
	case "vd":
		return senmlData, true
	}
	return 0, false
}
