package transport

import (
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// Handshake does what has to be done with the peer before MQTT begins: the TLS handshake and the WebSocket upgrade. c comes
// from Accept of the same listener. It blocks until the deadline, and a second longer at most; closing c ends it earlier. After an error c is
// closed; see CertificateError for what it is worth. The connection returned has no deadlines.
func (l *Listener) Handshake(c net.Conn, deadline time.Time) (*Conn, error) {
	below, ok := c.(socket)
	if !ok {
		_ = c.Close()
		return nil, errors.New("this connection was not accepted here")
	}
	if !l.address.TLS() && !l.address.webSocket() {
		return l.newConn(below, below), nil
	}
	conn, err := l.handshake(below, deadline)
	if err == nil {
		err = c.SetDeadline(time.Time{})
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return conn, nil
}

func (l *Listener) handshake(below socket, deadline time.Time) (*Conn, error) {
	if err := below.SetDeadline(deadline); err != nil {
		return nil, err
	}
	var s stream = below
	var state tls.ConnectionState
	if l.address.TLS() {
		now := l.options.TLS.now.Load()
		config := now.mqtt
		if l.address.webSocket() {
			config = now.web
		}
		secure := newSecure(below, config)
		if err := secure.Handshake(); err != nil {
			return nil, explainTLS(err, now)
		}
		s, state = secure, secure.ConnectionState()
	}
	if l.address.webSocket() {
		ws, err := l.upgrade(s, deadline)
		if err != nil {
			return nil, explain("WebSocket upgrade", err)
		}
		s = ws
	}
	conn := l.newConn(s, below)
	if l.options.TLS != nil {
		conn.HasCertificate = len(state.VerifiedChains) > 0
		conn.User, _ = userOf(state, l.options.TLS.config.User) // an error has ended the handshake
	}
	return conn, nil
}
