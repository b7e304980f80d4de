package aggregate

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"time"

	"edged"
)

// appendJSON appends a value of a list as it is written alone: a time in RFC 3339, bytes in base64, JSON as it is.
func appendJSON(b []byte, v edged.Value) []byte {
	var plain any
	switch v.Kind() {
	case edged.JSON:
		return append(b, v.Str()...)
	case edged.Bool:
		plain = v.Bool()
	case edged.Number:
		plain, _ = v.Float()
	case edged.Time:
		plain = time.Unix(0, v.Nanos()).UTC().Format(time.RFC3339Nano)
	case edged.Text:
		plain = v.Str()
	case edged.Bytes:
		plain = base64.StdEncoding.EncodeToString([]byte(v.Str()))
	}
	w := bytes.NewBuffer(b)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(plain) // numbers of a Value are finite
	return bytes.TrimSuffix(w.Bytes(), []byte("\n"))
}
