// Package rowjson writes rows as JSON objects: what sinks deliver, and what a chained stream gives to those that take from it.
//
// All functions append to a slice that the caller owns and return it, as the append functions of package strconv do. They
// keep nothing, and allocate nothing beyond what the slice needs to grow. The same rows always become the same bytes: an
// idempotency key stands for bytes, and so does a message in the log.
package rowjson
