package clients

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"edged/test/await"
)

// inbox is what a subscriber of paho's got.
type inbox struct {
	mu   sync.Mutex
	got  []*paho.Publish
	gone chan *paho.Disconnect // what the broker said when it ended the connection
}

func newInbox() *inbox { return &inbox{gone: make(chan *paho.Disconnect, 1)} }

func (i *inbox) take(p paho.PublishReceived) (bool, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.got = append(i.got, p.Packet)
	return true, nil
}

// wait returns the first n messages, or more if there are more.
func (i *inbox) wait(t testing.TB, n int) []*paho.Publish {
	t.Helper()
	await.Soon(t, "messages arrive", func() bool {
		i.mu.Lock()
		defer i.mu.Unlock()
		return len(i.got) >= n
	})
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.got
}

func plain(got []*paho.Publish) (out []message) {
	for _, p := range got {
		out = append(out, message{p.Topic, string(p.Payload), p.QoS})
	}
	return out
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), await.Patience)
	t.Cleanup(cancel)
	return ctx
}

func ptr[T any](v T) *T { return &v }

// login is a CONNECT as device, which begins afresh.
func login(id string) *paho.Connect {
	return &paho.Connect{ClientID: id, UsernameFlag: true, Username: device, PasswordFlag: true, Password: []byte(password(device)), CleanStart: true, KeepAlive: 30}
}

// paho connects paho's client over TCP, without what reconnects it. change is applied to its CONNECT.
func (g *gateway) paho(t testing.TB, connect *paho.Connect) (*paho.Client, *inbox, *paho.Connack) {
	t.Helper()
	conn, err := net.Dial("tcp", g.addr("tcp"))
	if err != nil {
		t.Fatal(err)
	}
	in := newInbox()
	c := paho.NewClient(paho.ClientConfig{Conn: conn, OnPublishReceived: []func(paho.PublishReceived) (bool, error){in.take},
		OnServerDisconnect: func(d *paho.Disconnect) { in.gone <- d }})
	ack, err := c.Connect(soon(t), connect)
	if err != nil {
		t.Fatalf("connecting %s: %v", connect.ClientID, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return c, in, ack
}

func subscribe(t testing.TB, c *paho.Client, filter string, qos byte) {
	t.Helper()
	if _, err := c.Subscribe(soon(t), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: filter, QoS: qos}}}); err != nil {
		t.Fatal(err)
	}
}

// send publishes, and enters what was taken.
func (g *gateway) send(t testing.TB, c *paho.Client, p *paho.Publish) {
	t.Helper()
	res, err := c.Publish(soon(t), p)
	if err != nil || res.ReasonCode >= 0x80 {
		t.Fatalf("publishing to %s: %v, %+v", p.Topic, err, res)
	}
	g.published(message{p.Topic, string(p.Payload), p.QoS})
}

// paho.golang with what connects it, over each transport: paho's own way for tcp, tls, ws and wss, ours for unix, which it
// has none for.
func TestPaho5OverEveryTransport(t *testing.T) {
	t.Parallel()
	g := start(t)
	t.Run("transports", func(t *testing.T) {
		for _, scheme := range []string{"tcp", "tls", "ws", "wss", "unix"} {
			t.Run(scheme, func(t *testing.T) {
				t.Parallel()
				in, topic := newInbox(), "site/paho5/"+scheme
				c := g.autopaho(t, scheme, in)
				if _, err := c.Subscribe(soon(t), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: topic + "/#", QoS: 2}}}); err != nil {
					t.Fatal(err)
				}
				want := samples(topic)
				for _, m := range want {
					props := &paho.PublishProperties{CorrelationData: []byte{0, 1, 255}, ResponseTopic: "other/answer", ContentType: "x/y"}
					props.User.Add("unit", "°C").Add("unit", "K")
					if _, err := c.Publish(soon(t), &paho.Publish{Topic: m.topic, Payload: []byte(m.payload), QoS: m.qos, Properties: props}); err != nil {
						t.Fatal(err)
					}
					g.published(m)
				}
				got := in.wait(t, len(want))
				if err := same(want, plain(got)); err != nil {
					t.Error(err)
				}
				for _, p := range got {
					u := p.Properties.User
					if string(p.Properties.CorrelationData) != "\x00\x01\xff" || p.Properties.ResponseTopic != "other/answer" || p.Properties.ContentType != "x/y" ||
						len(u) != 2 || u[0] != (paho.UserProperty{Key: "unit", Value: "°C"}) || u[1] != (paho.UserProperty{Key: "unit", Value: "K"}) {
						t.Errorf("%s came with %+v", p.Topic, p.Properties)
					}
				}
			})
		}
	})
	g.settle()
}

// autopaho connects over a transport, with a session that is kept for a minute.
func (g *gateway) autopaho(t testing.TB, scheme string, in *inbox) *autopaho.ConnectionManager {
	t.Helper()
	cfg := autopaho.ClientConfig{
		ServerUrls: []*url.URL{{Scheme: scheme, Host: g.addr(scheme), Path: "/mqtt"}}, TlsCfg: g.trust(), KeepAlive: 30,
		CleanStartOnInitialConnection: true, SessionExpiryInterval: 60,
		ReconnectBackoff: autopaho.NewConstantBackoff(10 * time.Millisecond),
		ConnectUsername:  device, ConnectPassword: []byte(password(device)),
		ClientConfig: paho.ClientConfig{ClientID: "paho5-" + scheme, OnPublishReceived: []func(paho.PublishReceived) (bool, error){in.take}},
	}
	if scheme == "unix" {
		cfg.AttemptConnection = func(ctx context.Context, _ autopaho.ClientConfig, _ *url.URL) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "unix", g.socket)
			return packets.NewThreadSafeConn(conn), err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	c, err := autopaho.NewConnection(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); <-c.Done() })
	if err := c.AwaitConnection(soon(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

// The network fails under a client that has publishes on their way: it comes back to its session by itself, and each message
// is stored and passed on once.
func TestPaho5ComesBackByItself(t *testing.T) {
	t.Parallel()
	g := start(t)
	t.Run("transports", func(t *testing.T) {
		for _, scheme := range []string{"tls", "wss"} {
			t.Run(scheme, func(t *testing.T) {
				t.Parallel()
				topic := "site/paho5/again/" + scheme
				watch, in, _ := g.paho(t, login("watch-"+scheme))
				subscribe(t, watch, topic, 2)
				c := g.autopaho(t, scheme, newInbox())
				var want []message
				for i := range 60 {
					m := message{topic, fmt.Sprint(i), 2}
					if err := c.PublishViaQueue(soon(t), &autopaho.QueuePublish{Publish: &paho.Publish{Topic: m.topic, Payload: []byte(m.payload), QoS: m.qos}}); err != nil {
						t.Fatal(err)
					}
					if want = append(want, m); i%20 == 10 {
						in.wait(t, i-5) // it is in the middle of its work
						since := g.Client(t, "paho5-"+scheme).Since
						c.TerminateConnectionForTest()
						await.Soon(t, "it is back", func() bool {
							b := g.Client(t, "paho5-"+scheme)
							return b.Connected && b.Since.After(since)
						})
					}
				}
				g.published(want...)
				if err := same(want, plain(in.wait(t, len(want)))); err != nil {
					t.Error(err)
				}
			})
		}
	})
	g.settle()
}
