package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"
	"unsafe"

	"edged"

	"github.com/valyala/fastjson"
)

// JSON is the kind json: columns are the fields of an object, nested ones by their path. A payload that is one scalar has
// it as the column "value". Objects and arrays are columns of kind JSON.
var JSON = Kind{Open: Nested, PayloadName: "payload", New: func(paths [][]string) Decoder { return &jsonDecoder{paths: paths} }}

type jsonDecoder struct {
	single
	paths [][]string
	p     fastjson.Parser
}

var (
	errNotUTF8 = errors.New("not UTF-8")
	errNotJSON = errors.New("not JSON")
	errTooDeep = fmt.Errorf("nested more than %d levels deep", maxDepth)
)

// Decode implements Decoder. The payload is checked strictly before it is parsed: the parser alone lets numbers like 1-2
// pass, and a raw row shows the payload as it came.
func (d *jsonDecoder) Decode(payload []byte, cols []edged.Value) (int, error) {
	clearCols(cols)
	if err := checkJSON(payload); err != nil {
		return 0, err
	}
	if len(d.paths) == 0 {
		return 1, nil // nothing of it is asked for
	}
	p := &d.p
	if len(payload) > largePayload {
		large.Lock()
		defer large.Unlock()
		p = new(fastjson.Parser)
	}
	v, err := p.ParseBytes(payload)
	if err != nil {
		return 0, explain(payload)
	}
	scalar := v.Type() != fastjson.TypeObject && v.Type() != fastjson.TypeArray
	for i, path := range d.paths {
		switch {
		case path == nil: // computed later
		case scalar && len(path) == 1 && path[0] == Value:
			cols[i] = jsonValue(v)
		default:
			if f := v.Get(path...); f != nil {
				cols[i] = jsonValue(f)
			}
		}
	}
	return 1, nil
}

func checkJSON(payload []byte) error {
	if !utf8.Valid(payload) {
		return errNotUTF8
	}
	if tooDeep(payload) {
		return errTooDeep
	}
	if fastjson.ValidateBytes(payload) != nil || hasControls(payload) && !json.Valid(payload) {
		return explain(payload)
	}
	return nil
}

// hasControls finds what the library's validator (1.6.10) passes: a control character in a text that has an escape behind it.
func hasControls(payload []byte) bool {
	return bytes.IndexByte(payload, '\\') >= 0 && bytes.ContainsFunc(payload, func(r rune) bool { return r < 0x20 })
}

// largePayload is one that is parsed by a parser of its own, and only one at a time: a tree of many small values takes up to two hundred times
// the payload's size while it grows, a parser keeps the last of it, and there is one for each stream and each delivery.
const largePayload = 16 << 10

var large sync.Mutex

// maxDepth is the parser's own bound.
const maxDepth = 300

// tooDeep finds a payload that is nested too deeply before the validator sees it: that one goes down without a bound, and
// takes time with the square of the depth.
func tooDeep(payload []byte) bool {
	if bytes.Count(payload, []byte("["))+bytes.Count(payload, []byte("{")) <= maxDepth {
		return false
	}
	depth, text, escaped := 0, false, false
	for _, c := range payload {
		switch {
		case escaped:
			escaped = false
		case text && c == '\\':
			escaped = true
		case c == '"':
			text = !text
		case text:
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}

// explain says what is wrong with a payload and where, without repeating it as the parser's own errors do.
func explain(payload []byte) error {
	var any json.RawMessage
	var wrong *json.SyntaxError
	if errors.As(json.Unmarshal(payload, &any), &wrong) {
		return fmt.Errorf("not JSON: %w (at byte %d)", wrong, wrong.Offset)
	}
	return errNotJSON
}

// Payload implements Decoder: the value as it came, without its line breaks. In a valid text they stand between tokens
// only.
func (d *jsonDecoder) Payload(payload []byte) edged.Value {
	payload = bytes.TrimSpace(payload)
	if bytes.ContainsAny(payload, "\r\n") {
		payload = bytes.ReplaceAll(bytes.ReplaceAll(payload, []byte("\n"), nil), []byte("\r"), nil)
	}
	return edged.JSONValue(view(payload))
}

func jsonValue(v *fastjson.Value) edged.Value {
	switch v.Type() {
	case fastjson.TypeNumber:
		f, err := v.Float64()
		if err != nil {
			return edged.NullValue()
		}
		return edged.NumberValue(f)
	case fastjson.TypeString:
		s, _ := v.StringBytes()
		return edged.TextValue(view(s))
	case fastjson.TypeTrue:
		return edged.BoolValue(true)
	case fastjson.TypeFalse:
		return edged.BoolValue(false)
	case fastjson.TypeNull:
		return edged.NullValue()
	}
	return edged.JSONValue(string(v.MarshalTo(nil)))
}

// view is b as a string without a copy: it lives as long as b is left alone.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
