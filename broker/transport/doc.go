// Package transport carries the bytes of MQTT clients to the broker: over TCP, TLS, WebSocket (RFC 6455), WebSocket over
// TLS, and sockets of the file system. It knows nothing of MQTT but the name of the WebSocket subprotocol.
//
// A connection comes to be in two steps, so that one goroutine can accept for all: Accept returns the socket and waits for
// no peer; Handshake is called on the connection's own goroutine, and does what needs the peer before a deadline.
//
// What is behind a [Conn] is a stream of bytes, whatever the transport: the boundaries of TLS records and WebSocket
// frames mean nothing [MQTT-6.0.0-2]. Three things differ, and a broker that keeps to the strictest is right with all:
//
//   - After a Read or Write that ended at its deadline, only Close is left: TLS and WebSocket do not go on from the middle.
//   - Close ends the socket at once, never blocks, and says nothing to the peer. CloseWrite before it does.
//   - Only plain TCP and file system sockets can be read without a buffer (Raw).
//
// A ws listener on a loopback address is safe from other machines, but not from web pages: a page from anywhere, opened in
// a browser on this machine, can connect to it. Options.Origins is against that.
package transport
