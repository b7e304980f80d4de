// Package http is the sink that posts rows to an HTTP endpoint, as NDJSON or as a JSON array.
//
// One delivery is one request. It carries Idempotency-Key, the key of the delivery, the same on every attempt and always
// with the same bytes, so that a server that remembers keys takes each delivery once; any other server takes it at least
// once. An answer of 2xx means that the server has it. What any other answer means stands in answer.go.
//
// The key names the bytes before compression: with compress = "gzip" the content coding is the transport's business.
//
// Proxies are taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as everywhere in Go; loopback is never proxied. The
// standard library repeats a request by itself, with the same key, when a kept connection turns out to be closed before
// the answer began. One connection is kept open, and probed while it is idle, so that a half-open one is noticed.
package http
