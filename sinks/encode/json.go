package encode

import (
	"edged"
	"edged/internal/rowjson"
)

// Objects encodes single rows as JSON objects. The zero value is ready for Reset.
type Objects = rowjson.Objects

// AppendNDJSON appends one object a line: "stream" first, then the columns in order. Absent cells are left out.
func AppendNDJSON(dst []byte, rows *edged.Rows) []byte { return rowjson.AppendNDJSON(dst, rows) }

// AppendJSON appends one array of the same objects, without line breaks.
func AppendJSON(dst []byte, rows *edged.Rows) []byte { return rowjson.AppendJSON(dst, rows) }

// AppendValue appends one value as JSON; a missing one is null.
func AppendValue(dst []byte, v edged.Value) []byte { return rowjson.AppendValue(dst, v) }

// AppendPlain appends what a value looks like on its own, without quotes: a number as in JSON, a time as RFC 3339, text and JSON as they
// are, bytes in base64; null and absent are null.
func AppendPlain(dst []byte, v edged.Value) []byte { return rowjson.AppendPlain(dst, v) }
