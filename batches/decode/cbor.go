package decode

import (
	"errors"
	"strings"

	"edged"

	"github.com/fxamacker/cbor/v2"
)

// CBOR is the kind cbor: one item of RFC 8949, with columns as those of json; byte strings are bytes. Keys of maps are texts, or whole numbers as their
// digits: payload["1"]. Tags 0 and 1 are times, 2 to 4 numbers; of other tags the content counts.
var CBOR = Kind{Open: Nested, PayloadName: "payload", New: func(paths [][]string) Decoder { return &treeDecoder{paths: paths, parse: parseCBOR()} }}

// maxItems bounds the items of one array or map.
const maxItems = 65536

// cborMode checks strictly: what is not valid, or has a key twice, is refused.
func cborMode() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: maxDepth, MaxArrayElements: maxItems, MaxMapPairs: maxItems,
	}.DecMode()
	if err != nil {
		panic(err) // the options are constant
	}
	return mode
}

func parseCBOR() func(payload []byte) (any, error) {
	mode := cborMode()
	return func(payload []byte) (any, error) {
		var tree any
		if err := mode.Unmarshal(payload, &tree); err != nil {
			return nil, plainCBOR(err)
		}
		return tree, nil
	}
}

// plainCBOR takes the library's name out of its messages.
func plainCBOR(err error) error {
	var depth *cbor.MaxNestedLevelError
	if errors.As(err, &depth) {
		return errTooDeep
	}
	return errors.New(strings.TrimPrefix(err.Error(), "cbor: "))
}

// cborNumber is the number that a tag makes of its content, if it is one: a decimal fraction (RFC 8949, section 3.4.4).
func cborNumber(t cbor.Tag) (edged.Value, bool) {
	parts, ok := t.Content.([]any)
	if t.Number != 4 || !ok || len(parts) != 2 {
		return edged.Value{}, false
	}
	exponent, ok1 := wholeNumber(parts[0])
	mantissa, ok2 := wholeNumber(parts[1])
	if !ok1 || !ok2 {
		return edged.Value{}, false
	}
	return decimal([]byte(mantissa + "e" + exponent))
}
