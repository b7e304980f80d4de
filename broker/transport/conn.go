package transport

import (
	"net"
	"net/netip"
	"syscall"
)

// socket is what the kernel gives: *net.TCPConn or *net.UnixConn.
type socket interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
	SetWriteBuffer(bytes int) error
}

// stream is a connection of which one direction can be ended.
type stream interface {
	net.Conn
	CloseWrite() error
}

// Conn is a client's connection. Read and Write carry MQTT in the clear. There may be one Read and one Write at a time, and
// everything else at any time from any goroutine; deadlines take effect at once, also on what is under way. See the package's comment for what is
// left after a deadline.
type Conn struct {
	net.Conn

	// User is the user name that the client's certificate gives; empty without a certificate.
	User string
	// HasCertificate reports that the client showed a certificate that the client CA vouches for.
	HasCertificate bool

	stream stream
	raw    syscall.RawConn
	remote net.Addr
}

// newConn makes a connection. below is the socket at the bottom of s.
func (l *Listener) newConn(s stream, below socket) *Conn {
	c := &Conn{Conn: s, stream: s, remote: below.RemoteAddr()}
	if s == stream(below) {
		c.raw, _ = below.SyscallConn() // fails on a closed one only
	}
	if l.address.Scheme == schemeUnix {
		c.remote = l.addr // the peers of such sockets have no address
	}
	return c
}

// CloseWrite tells the peer that nothing more comes, after what a Write under way has left; Read goes on. It sends a FIN
// over TCP; close_notify and a FIN over TLS; a close frame with code 1000 over WebSocket, after which the peer ends the
// connection. It blocks for about a second at most, then returns an error: the peer was not told.
func (c *Conn) CloseWrite() error { return c.stream.CloseWrite() }

// Raw is the socket of a plain TCP or file system connection, to read from it without holding a buffer; nil for others.
func (c *Conn) Raw() syscall.RawConn { return c.raw }

// Remote is where the peer is: its address, or the path of the socket that it came through.
func (c *Conn) Remote() net.Addr { return c.remote }

// IP is the peer's address for limits: IPv4 never in its IPv6 form, and without a zone. Invalid for sockets of the file
// system. An IPv6 peer has a whole /64 of addresses.
func (c *Conn) IP() netip.Addr {
	if a, ok := c.remote.(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
