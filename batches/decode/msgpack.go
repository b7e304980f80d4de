package decode

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
)

// MsgPack is the kind msgpack: one MessagePack object, with columns as those of json; bin is bytes. Keys of maps are texts, or whole numbers as their digits:
// payload["1"]. The extension −1 is a time; others are null.
var MsgPack = Kind{Open: Nested, PayloadName: "payload", New: func(paths [][]string) Decoder { return &treeDecoder{paths: paths, parse: parseMsgPack} }}

// parseMsgPack makes a tree as parseCBOR does. It uses the library's readers of single items: those of whole trees have no bound of depth that fits here.
func parseMsgPack(payload []byte) (any, error) {
	v, rest, err := msgPackItem(payload, 0)
	switch {
	case err != nil:
		return nil, plainMsgPack(err)
	case len(rest) > 0:
		return nil, fmt.Errorf("%d bytes follow the object", len(rest))
	}
	return v, nil
}

// plainMsgPack takes the library's name out of its messages.
func plainMsgPack(err error) error {
	if errors.Is(err, msgp.ErrShortBytes) {
		return errors.New("it ends too early")
	}
	return errors.New(strings.TrimPrefix(err.Error(), "msgp: "))
}

func msgPackItem(b []byte, depth int) (v any, rest []byte, err error) {
	if depth > maxDepth {
		return nil, nil, errTooDeep
	}
	switch msgp.NextType(b) {
	case msgp.MapType:
		return msgPackMap(b, depth)
	case msgp.ArrayType:
		return msgPackList(b, depth)
	case msgp.StrType:
		var s []byte
		if s, rest, err = msgp.ReadStringZC(b); err == nil && !utf8.Valid(s) {
			err = errNotUTF8
		}
		return string(s), rest, err
	case msgp.BinType:
		v, rest, err = msgp.ReadBytesBytes(b, nil)
	case msgp.BoolType:
		v, rest, err = msgp.ReadBoolBytes(b)
	case msgp.IntType:
		var n int64
		if n, rest, err = msgp.ReadInt64Bytes(b); n >= 0 {
			return uint64(n), rest, err // as CBOR has it
		}
		return n, rest, err
	case msgp.UintType:
		v, rest, err = msgp.ReadUint64Bytes(b)
	case msgp.Float32Type:
		var f float32
		f, rest, err = msgp.ReadFloat32Bytes(b)
		return float64(f), rest, err
	case msgp.Float64Type:
		v, rest, err = msgp.ReadFloat64Bytes(b)
	case msgp.TimeType:
		v, rest, err = msgp.ReadTimeUTCBytes(b)
	default: // nil, other extensions, and what is none
		rest, err = msgp.Skip(b)
	}
	return v, rest, err
}

func msgPackList(b []byte, depth int) (any, []byte, error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err == nil && (n > maxItems || int(n) > len(b)) { // an item has a byte at least
		err = errItems(n)
	}
	if err != nil {
		return nil, nil, err
	}
	list := make([]any, n)
	for i := range list {
		if list[i], b, err = msgPackItem(b, depth+1); err != nil {
			return nil, nil, err
		}
	}
	return list, b, nil
}

func msgPackMap(b []byte, depth int) (any, []byte, error) {
	n, b, err := msgp.ReadMapHeaderBytes(b)
	if err == nil && (n > maxItems || int(n) > len(b)/2) {
		err = errItems(n)
	}
	if err != nil {
		return nil, nil, err
	}
	m := make(map[any]any, n)
	for range n {
		var key, v any
		if key, b, err = msgPackItem(b, depth+1); err != nil {
			return nil, nil, err
		}
		if _, ok := key.(string); !ok {
			if _, ok = wholeNumber(key); !ok {
				return nil, nil, errKey
			}
		}
		if _, twice := m[key]; twice {
			return nil, nil, fmt.Errorf("a map has the key %.40q twice", fmt.Sprint(key))
		}
		if v, b, err = msgPackItem(b, depth+1); err != nil {
			return nil, nil, err
		}
		m[key] = v
	}
	return m, b, nil
}

func errItems(n uint32) error {
	return fmt.Errorf("an array or map of %d items: more than %d, or more than there are", n, maxItems)
}
