package decode

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"time"

	"edged"

	"github.com/fxamacker/cbor/v2"
)

// treeDecoder is the decoder of binary encodings of what JSON says: a library makes a tree of the payload.
type treeDecoder struct {
	single
	paths [][]string
	parse func(payload []byte) (any, error)
	shown []byte // the tree as JSON
}

// Decode implements Decoder. What is accepted does not depend on what is asked for: all of it must be what JSON can show.
func (d *treeDecoder) Decode(payload []byte, cols []edged.Value) (int, error) {
	clearCols(cols)
	if len(payload) > largePayload { // a tree takes many times the payload's size
		large.Lock()
		defer large.Unlock()
	}
	tree, err := d.parse(payload)
	if err != nil {
		return 0, err
	}
	if d.shown, err = appendTree(emptied(d.shown), tree); err != nil {
		return 0, err
	}
	_, isMap := tree.(map[any]any)
	_, isList := tree.([]any)
	for i, path := range d.paths {
		switch {
		case path == nil: // computed later
		case !isMap && !isList && len(path) == 1 && path[0] == Value:
			cols[i] = treeValue(tree)
		default:
			if v, ok := descend(tree, path); ok {
				cols[i] = treeValue(v)
			}
		}
	}
	return 1, nil
}

// Payload implements Decoder: the payload as JSON, fields in the order of their names, bytes in base64.
func (d *treeDecoder) Payload([]byte) edged.Value { return edged.JSONValue(string(d.shown)) }

func descend(v any, path []string) (any, bool) {
	for _, name := range path {
		switch x := untagged(v).(type) {
		case map[any]any:
			var ok bool
			if v, ok = x[name]; !ok {
				if v, ok = byNumber(x, name); !ok {
					return nil, false
				}
			}
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// byNumber finds the key that is a whole number of these digits.
func byNumber(m map[any]any, digits string) (v any, ok bool) {
	if n, err := strconv.ParseUint(digits, 10, 64); err == nil && strconv.FormatUint(n, 10) == digits {
		v, ok = m[n]
	} else if n, err := strconv.ParseInt(digits, 10, 64); err == nil && strconv.FormatInt(n, 10) == digits {
		v, ok = m[n]
	}
	return v, ok
}

// untagged takes away the tags that say nothing here.
func untagged(v any) any {
	for {
		t, ok := v.(cbor.Tag)
		if !ok {
			return v
		}
		if _, ok := cborNumber(t); ok {
			return v
		}
		v = t.Content
	}
}

// treeValue makes a column of a part of a tree that appendTree has passed.
func treeValue(v any) edged.Value {
	switch x := untagged(v).(type) {
	case bool:
		return edged.BoolValue(x)
	case string:
		return edged.TextValue(x)
	case []byte:
		return edged.BytesValue(view(x))
	case time.Time:
		if inRange(x) {
			return edged.TimeValue(x.UnixNano())
		}
	case map[any]any, []any:
		text, _ := appendTree(nil, x)
		return edged.JSONValue(view(text))
	default:
		if f, ok := treeNumber(x); ok {
			return edged.NumberValue(f)
		}
	}
	return edged.NullValue()
}

func treeNumber(v any) (float64, bool) {
	switch x := v.(type) {
	case uint64:
		return float64(x), true
	case int64:
		return float64(x), true
	case float64:
		return x, true
	case big.Int:
		f, _ := new(big.Float).SetInt(&x).Float64()
		return f, true
	case cbor.Tag:
		n, ok := cborNumber(x)
		f, _ := n.Float()
		return f, ok && !n.Missing()
	}
	return 0, false
}

func inRange(t time.Time) bool { return t.Year() > 1678 && t.Year() < 2262 } // what nanoseconds hold

// wholeNumber is a whole number as its digits.
func wholeNumber(v any) (digits string, ok bool) {
	switch x := v.(type) {
	case uint64:
		return strconv.FormatUint(x, 10), true
	case int64:
		return strconv.FormatInt(x, 10), true
	}
	return "", false
}

var errKey = errors.New("a map has a key that is neither a text nor a whole number")

// appendTree appends a tree as JSON, whose fields stand in the order of their names: the same payload gives the same bytes.
func appendTree(b []byte, v any) ([]byte, error) {
	switch x := untagged(v).(type) {
	case bool:
		return strconv.AppendBool(b, x), nil
	case string:
		return appendText(b, x), nil
	case []byte:
		return append(base64.StdEncoding.AppendEncode(append(b, '"'), x), '"'), nil
	case time.Time:
		if inRange(x) {
			return append(x.UTC().AppendFormat(append(b, '"'), time.RFC3339Nano), '"'), nil
		}
	case []any:
		return appendList(b, x)
	case map[any]any:
		return appendMap(b, x)
	case uint64, int64:
		digits, _ := wholeNumber(x)
		return append(b, digits...), nil
	default:
		if f, ok := treeNumber(x); ok {
			return appendNumber(b, f), nil
		}
	}
	return append(b, "null"...), nil
}

func appendList(b []byte, list []any) (_ []byte, err error) {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendTree(b, v); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

func appendMap(b []byte, m map[any]any) (_ []byte, err error) {
	named := make(map[string]any, len(m))
	for key, v := range m {
		name, ok := key.(string)
		if !ok {
			if name, ok = wholeNumber(key); !ok {
				err = firstError(err, errKey)
			}
		}
		if _, twice := named[name]; twice && ok {
			err = firstError(err, fmt.Errorf("a map has the key %q both as a text and as a number", clip([]byte(name))))
		}
		named[name] = v
	}
	if err != nil {
		return b, err
	}
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(named)) {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendTree(append(appendText(b, name), ':'), named[name]); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

// firstError is the one of two errors whose text is less: which one is said does not depend on the order in which they were found.
func firstError(a, b error) error {
	if a == nil || b != nil && b.Error() < a.Error() {
		return b
	}
	return a
}
