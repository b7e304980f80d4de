package clients

import (
	"fmt"
	"net"
	"net/url"
	"sync"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"edged/test/await"
)

// paho311 connects paho's client for 3.1.1 over a transport, and returns what it gets.
func (g *gateway) paho311(t testing.TB, scheme, id string) (mqtt.Client, func() []message) {
	t.Helper()
	var mu sync.Mutex
	var got []message
	o := mqtt.NewClientOptions().SetClientID(id).SetUsername(device).SetPassword(password(device)).SetProtocolVersion(4).SetTLSConfig(g.trust()).
		SetAutoReconnect(false).SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, message{m.Topic(), string(m.Payload()), m.Qos()})
	})
	switch scheme {
	case "unix":
		o.AddBroker("tcp://socket").SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return net.Dial("unix", g.socket) })
	case "ws", "wss":
		o.AddBroker(scheme + "://" + g.addr(scheme) + "/mqtt")
	default:
		o.AddBroker(scheme + "://" + g.addr(scheme))
	}
	c := mqtt.NewClient(o)
	done(t, c.Connect())
	t.Cleanup(func() { c.Disconnect(0) })
	return c, func() []message {
		mu.Lock()
		defer mu.Unlock()
		return got
	}
}

// done waits for what a client began.
func done(t testing.TB, token mqtt.Token) {
	t.Helper()
	if !token.WaitTimeout(await.Patience) || token.Error() != nil {
		t.Fatalf("not done: %v", token.Error())
	}
}

// paho.mqtt.golang, one message after the other, then many at once.
func TestPaho311OverEveryTransport(t *testing.T) {
	t.Parallel()
	g := start(t)
	t.Run("transports", func(t *testing.T) {
		for _, scheme := range []string{"tcp", "tls", "ws", "wss", "unix"} {
			t.Run(scheme, func(t *testing.T) {
				t.Parallel()
				topic := "site/paho311/" + scheme
				c, got := g.paho311(t, scheme, "paho311-"+scheme)
				done(t, c.Subscribe(topic+"/#", 2, nil))
				want := samples(topic)
				for _, m := range want {
					done(t, c.Publish(m.topic, m.qos, false, m.payload))
				}
				var tokens []mqtt.Token
				for i := range 200 {
					m := message{topic + "/many", fmt.Sprint(i), 1}
					tokens = append(tokens, c.Publish(m.topic, m.qos, false, m.payload))
					want = append(want, m)
				}
				for _, token := range tokens {
					done(t, token)
				}
				g.published(want...)
				await.Soon(t, "all arrive", func() bool { return len(got()) >= len(want) })
				if err := same(want, got()); err != nil {
					t.Error(err)
				}
			})
		}
	})
	g.settle()
}
