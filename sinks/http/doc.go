// Package http is the sink that posts rows to an HTTP endpoint, as NDJSON or as a JSON array.
//
// One delivery is one request. It carries Idempotency-Key, the key of the delivery, the same on every attempt and always
// with the same bytes, so that a server that remembers keys takes each delivery once; any other server takes it at least
// once. How it is sent, and what the answers mean, is package post.
//
// The key names the bytes before compression: with compress = "gzip" the content coding is the transport's business.
package http
