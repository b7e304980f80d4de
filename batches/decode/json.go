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
)

// JSON is the kind json: columns are the fields of an object, nested ones by their path. A payload that is one scalar has
// it as the column "value". Objects and arrays are columns of kind JSON.
var JSON = Kind{Open: Nested, Plain: true, PayloadName: "payload", New: newJSON}

// jsonDecoder checks a payload and takes its columns out of it in one pass: most of a payload is nobody's column.
type jsonDecoder struct {
	single
	scan   jsonScan
	shapes jsonShapes
	root   jsonNode // of a payload that is an object or an array
	scalar jsonNode // of one that is neither
}

func newJSON(paths [][]string) Decoder {
	d := &jsonDecoder{}
	d.scan.from = make([]int, len(paths))
	for slot, path := range paths {
		switch {
		case path == nil: // computed later
			continue
		case len(path) == 1 && path[0] == Value:
			d.scalar.slots = append(d.scalar.slots, slot)
		}
		n := &d.root
		for _, name := range path {
			n = n.kid(name)
		}
		n.slots = append(n.slots, slot)
	}
	return d
}

var (
	errNotUTF8 = errors.New("not UTF-8")
	errNotJSON = errors.New("not JSON")
	errTooDeep = fmt.Errorf("nested more than %d levels deep", maxDepth)
)

// Decode implements Decoder. The payload is checked strictly (RFC 8259): a raw row shows it as it came.
func (d *jsonDecoder) Decode(payload []byte, cols []edged.Value) (int, error) {
	clearCols(cols)
	s := &d.scan
	s.b, s.cols, s.texts = payload, cols, emptied(s.texts)
	if d.shapes.read(s) {
		return 1, nil
	}
	for i := range s.from {
		s.from[i] = -1
	}
	at, root := skipSpace(payload, 0), &d.root
	if at < len(payload) && payload[at] != '{' && payload[at] != '[' {
		root = &d.scalar
	}
	if !s.whole(at, root) {
		clearCols(cols)
		return 0, whyNotJSON(payload)
	}
	d.shapes.learn(s)
	return 1, nil
}

func checkJSON(payload []byte) error {
	s := jsonScan{b: payload}
	if !s.whole(skipSpace(payload, 0), nil) {
		return whyNotJSON(payload)
	}
	return nil
}

// whyNotJSON says what is wrong with a payload that was refused.
func whyNotJSON(payload []byte) error {
	switch {
	case !utf8.Valid(payload):
		return errNotUTF8
	case tooDeep(payload):
		return errTooDeep
	}
	return explain(payload)
}

// largePayload is one that a decoder keeps no memory for: the next one of its size may be long in coming. Where a tree is made of it, that is done one
// at a time: a tree of many small values takes up to two hundred times the payload's size while it grows, and there is a decoder for each stream and each
// delivery.
const largePayload = 16 << 10

var large sync.Mutex

// maxDepth bounds the objects and arrays around a value: reading goes down with them.
const maxDepth = 300

// tooDeep finds a payload that is nested too deeply, also one that is no JSON behind that.
func tooDeep(payload []byte) bool {
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

// explain says what is wrong with a payload and where, without repeating it.
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
	if bytes.IndexByte(payload, '\n') >= 0 || bytes.IndexByte(payload, '\r') >= 0 {
		payload = bytes.ReplaceAll(bytes.ReplaceAll(payload, []byte("\n"), nil), []byte("\r"), nil)
	}
	return edged.JSONValue(view(payload))
}

// view is b as a string without a copy: it lives as long as b is left alone.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
