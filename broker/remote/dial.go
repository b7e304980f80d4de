package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"edged"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

const (
	connectTimeout = 10 * time.Second
	writeTimeout   = 10 * time.Second
	answerTimeout  = 30 * time.Second
	keepAlive      = 30 * time.Second
	// pingTimeout is long because paho reads nothing, answers to pings included, while a receiver is full. A broker that has
	// gone is noticed by the kernel: see dialer.
	pingTimeout = 5 * time.Minute
	// deadPeer is how long the kernel waits for a sign of life.
	deadPeer = 30 * time.Second
)

// connection is one connection to the broker.
type connection struct {
	client  mqtt.Client
	present bool       // the broker had the session
	lost    chan error // has the error when it has ended by itself
	once    sync.Once
}

// connect opens one. onMessage is called on paho's goroutine for each message, also for those that the broker sends before
// anything is subscribed to. A permanent error cannot get better without the configuration, or the broker's.
func (c *Access) connect(ctx context.Context, clean bool, onMessage mqtt.MessageHandler) (*connection, error) {
	u, err := c.url()
	if err != nil {
		return nil, edged.WithClass(fmt.Errorf("broker %q %w", c.Broker, err), edged.Permanent)
	}
	password, err := c.password()
	if err != nil {
		return nil, fmt.Errorf("password_file: %w", err)
	}
	tlsConfig, err := c.tlsConfig()
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	k := &connection{lost: make(chan error, 1)}
	dialing, stop := context.WithTimeout(ctx, connectTimeout)
	defer stop()
	o := mqtt.NewClientOptions().AddBroker(u.String()).SetClientID(c.ClientID).SetUsername(c.Username).SetPassword(password)
	o.SetProtocolVersion(4).SetCleanSession(clean).SetAutoReconnect(false).SetConnectRetry(false)
	o.SetOrderMatters(true).SetAutoAckDisabled(true).SetDefaultPublishHandler(onMessage)
	o.SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout).SetWriteTimeout(writeTimeout).SetConnectTimeout(connectTimeout)
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { k.lost <- err })
	o.SetCustomOpenConnectionFn(func(u *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
		conn, err := open(dialing, u.Host, tlsConfig)
		if err == nil {
			context.AfterFunc(dialing, func() { k.once.Do(func() { _ = conn.Close() }) })
		}
		return conn, err
	})
	k.client = mqtt.NewClient(o)
	token := k.client.Connect().(*mqtt.ConnectToken)
	<-token.Done() // bounded by dialing
	k.once.Do(func() {})
	if err := token.Error(); err != nil {
		return nil, c.explain(token.ReturnCode(), err)
	}
	k.present = token.SessionPresent()
	return k, nil
}

// explain gives a refusal its class [3.1.1, 3.2.2.3].
func (c *Access) explain(code byte, err error) error {
	switch code {
	case packets.ErrRefusedBadUsernameOrPassword, packets.ErrRefusedNotAuthorised:
		who := "nobody (there is no username)"
		if c.Username != "" {
			who = fmt.Sprintf("user %q", c.Username)
		}
		return edged.WithClass(fmt.Errorf("broker %s refuses %s as client %q: correct username and password_file, or the broker's: %w", c.Broker, who, c.ClientID, err), edged.Permanent)
	case packets.ErrRefusedIDRejected:
		return edged.WithClass(fmt.Errorf("broker %s refuses the client identifier %q: set another client_id: %w", c.Broker, c.ClientID, err), edged.Permanent)
	case packets.ErrRefusedBadProtocolVersion:
		return edged.WithClass(fmt.Errorf("broker %s does not speak MQTT 3.1.1: %w", c.Broker, err), edged.Permanent)
	}
	return err
}

// open dials, and does the TLS handshake.
func open(ctx context.Context, host string, tlsConfig *tls.Config) (net.Conn, error) {
	conn, err := dialer().DialContext(ctx, "tcp", host)
	if err != nil || tlsConfig == nil {
		return conn, err
	}
	secure := tls.Client(conn, tlsConfig)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// dialer has the kernel find out within deadPeer that nobody is there any more, whether something was sent or not.
func dialer() *net.Dialer {
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: deadPeer / 2, Interval: deadPeer / 6, Count: 3},
		Control:         userTimeout(deadPeer),
	}
}

// close ends the connection, with a DISCONNECT. The broker keeps a persistent session and its subscriptions.
func (k *connection) close() { k.client.Disconnect(1000) }

// wait returns the token's error, or what ended the connection before it was complete.
func (k *connection) wait(ctx context.Context, token mqtt.Token) error {
	t := time.NewTimer(answerTimeout)
	defer t.Stop()
	select {
	case <-token.Done():
		return token.Error()
	case err := <-k.lost:
		return fmt.Errorf("%w: %w", errLost, err)
	case <-t.C:
		return fmt.Errorf("the broker does not answer: %w", os.ErrDeadlineExceeded)
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errLost = errors.New("the connection was lost")
