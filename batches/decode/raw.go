package decode

import "edged"

// Raw is the kind raw: payloads of any bytes, without columns.
var Raw = Kind{Plain: true, PayloadName: "payload_base64", New: func([][]string) Decoder { return rawDecoder{} }}

type rawDecoder struct{ single }

// Decode implements Decoder: every payload is right.
func (rawDecoder) Decode(_ []byte, cols []edged.Value) (int, error) {
	clearCols(cols)
	return 1, nil
}

// Payload implements Decoder.
func (rawDecoder) Payload(payload []byte) edged.Value { return edged.BytesValue(view(payload)) }
