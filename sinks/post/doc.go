// Package post is what sinks have in common that post rows to an HTTP server: their keys, the connection, the credentials, and what the
// server's answers mean (answer.go). What a body is, and where it goes, is the sink's own.
//
// One body is one request. An answer of 2xx means that the server has it.
//
// Proxies are taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as everywhere in Go; loopback is never proxied. The
// standard library repeats a request by itself, with the same key, when a kept connection turns out to be closed before
// the answer began. One connection is kept open, and probed while it is idle, so that a half-open one is noticed.
package post
