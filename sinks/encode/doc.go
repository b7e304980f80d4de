// Package encode turns rows into the bytes that leave the gateway: NDJSON, a JSON array, CSV, tuples for people.
//
// All functions append to a slice that the caller owns and return it, as the append functions of package strconv do. They
// keep nothing, and allocate nothing beyond what the slice needs to grow. The same rows always become the same bytes: an
// idempotency key stands for bytes, and the file sink finds its own unfinished writes again by comparing them.
package encode

// The encodings by name and version, as they stand in idempotency keys. A version is raised when the same rows would
// become other bytes.
const (
	NDJSON = "ndjson/1"
	JSON   = "json/1"
	CSV    = "csv/1"
	Tuple  = "tuple/1"
)
