package encode

import "edged"

// AppendValue appends one value as JSON; a missing one is null.
func AppendValue(dst []byte, v edged.Value) []byte { return appendJSONValue(dst, v) }
