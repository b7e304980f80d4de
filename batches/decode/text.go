package decode

import (
	"unicode/utf8"

	"edged"
)

// Text is the kind text: the payload is UTF-8 text, and the column "value".
var Text = Kind{
	Columns: []Column{{Value, edged.Text}}, Plain: true, PayloadName: "payload",
	New: func(paths [][]string) Decoder { return &textDecoder{at: indexOf(paths, Value)} },
}

type textDecoder struct {
	single
	at int
}

// Decode implements Decoder.
func (d *textDecoder) Decode(payload []byte, cols []edged.Value) (int, error) {
	clearCols(cols)
	if !utf8.Valid(payload) {
		return 0, errNotUTF8
	}
	if d.at >= 0 {
		cols[d.at] = edged.TextValue(view(payload))
	}
	return 1, nil
}

// Payload implements Decoder.
func (d *textDecoder) Payload(payload []byte) edged.Value { return edged.TextValue(view(payload)) }
