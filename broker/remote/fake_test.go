package remote

import (
	"context"
	"net"
	"strings"
	"testing"

	"edged/test/await"

	"edged"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// fake is an MQTT server that does what the test says: what Mosquitto cannot be made to do.
type fake struct {
	t testing.TB
	l net.Listener
}

func newFake(t testing.TB) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &fake{t, l}
}

func (f *fake) config() *Config {
	c := Default()
	c.Broker, c.ClientID, c.name = "tcp://"+f.l.Addr().String(), "gateway", "field"
	return c
}

// serve plays one script for each connection, and then refuses to be connected to.
func (f *fake) serve(scripts ...func(*session)) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for _, script := range scripts {
			c, err := f.l.Accept()
			if err != nil {
				return
			}
			script(&session{f, c})
			_ = c.Close()
		}
	}()
	f.t.Cleanup(func() { _ = f.l.Close(); <-ended })
}

type session struct {
	f *fake
	c net.Conn
}

func read[P packets.ControlPacket](s *session) (p P) {
	got, err := packets.ReadPacket(s.c)
	if err != nil {
		s.f.t.Errorf("no packet: %v", err)
		return p
	}
	p, ok := got.(P)
	if !ok {
		s.f.t.Errorf("have %v", got)
	}
	return p
}

func (s *session) accept(code byte, present bool) *packets.ConnectPacket {
	c := read[*packets.ConnectPacket](s)
	a := packets.NewControlPacket(packets.Connack).(*packets.ConnackPacket)
	a.ReturnCode, a.SessionPresent = code, present
	s.write(a)
	return c
}

func (s *session) subscribe(codes ...byte) []string {
	sub := read[*packets.SubscribePacket](s)
	a := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
	a.MessageID, a.ReturnCodes = sub.MessageID, codes
	s.write(a)
	return sub.Topics
}

func (s *session) publish() *packets.PublishPacket { return read[*packets.PublishPacket](s) }

func (s *session) ack(p *packets.PublishPacket) {
	a := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
	a.MessageID = p.MessageID
	s.write(a)
}

func (s *session) write(p packets.ControlPacket) {
	if err := p.Write(s.c); err != nil {
		s.f.t.Errorf("cannot write: %v", err)
	}
}

// untilClosed reads what comes until the other side leaves.
func (s *session) untilClosed() {
	for {
		if _, err := packets.ReadPacket(s.c); err != nil {
			return
		}
	}
}

func permanent(t *testing.T, r *running, want ...string) {
	t.Helper()
	err := <-r.end
	r.end <- nil // for stop
	if edged.ClassOf(err) != edged.Permanent {
		t.Fatalf("not permanent: %v", err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Fatalf("%v does not name %q", err, w)
		}
	}
}

func TestRefusedCredentialsArePermanent(t *testing.T) {
	t.Parallel()
	for _, code := range []byte{packets.ErrRefusedBadUsernameOrPassword, packets.ErrRefusedNotAuthorised} {
		f := newFake(t)
		f.serve(func(s *session) {
			c := s.accept(code, false)
			if c.Username != "me" || c.CleanSession || c.ClientIdentifier != "gateway" {
				f.t.Errorf("%+v", c)
			}
		})
		cfg := f.config()
		cfg.Username = "me"
		permanent(t, run(t, cfg, []string{"a"}, &memory{}, &handler{}), `"me"`, cfg.Broker, "password_file")
	}
	f := newFake(t)
	f.serve(func(s *session) { s.accept(packets.ErrRefusedIDRejected, false) })
	permanent(t, run(t, f.config(), []string{"a"}, &memory{}, &handler{}), "client_id")
}

func TestARefusedSubscriptionIsPermanent(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serve(func(s *session) {
		s.accept(0, false)
		codes := []byte{1, 1}
		sub := read[*packets.SubscribePacket](s)
		for i, topic := range sub.Topics {
			if topic == "secret/#" {
				codes[i] = 0x80
			}
		}
		a := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
		a.MessageID, a.ReturnCodes = sub.MessageID, codes
		s.write(a)
		s.untilClosed()
	})
	permanent(t, run(t, f.config(), []string{"site/#", "secret/#"}, &memory{}, &handler{}), `"secret/#"`)
}

func TestABusyBrokerIsTriedAgain(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serve(func(s *session) { s.accept(packets.ErrRefusedServerUnavailable, false) }, func(s *session) {
		s.accept(0, true)
		if topics := s.subscribe(0); len(topics) != 1 || topics[0] != "a" {
			f.t.Errorf("%q", topics)
		}
		s.untilClosed()
	})
	r := run(t, f.config(), []string{"a"}, &memory{topics: map[string][]string{"gateway": {"a"}}}, &handler{})
	r.connected(t, 1)
	await.Soon(t, "the smaller QoS is noticed", func() bool { return r.log.Count("less than the configured QoS") == 1 })
}

// A session's messages can come before its SUBACK, and an acknowledgement never comes from an earlier connection.
func TestTheSessionsMessagesComeAtOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	send := func(s *session, id uint16, dup bool) {
		p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
		p.Qos, p.MessageID, p.TopicName, p.Payload, p.Dup = 1, id, "a", []byte("x"), dup
		s.write(p)
	}
	h := &handler{}
	acked := make(chan uint16, 1)
	f.serve(func(s *session) {
		s.accept(0, true)
		send(s, 7, false)
		s.subscribe(1)
		await.Soon(f.t, "it is taken", func() bool { return len(h.payloads()) == 1 })
	}, func(s *session) {
		s.accept(0, true)
		h.commit(nil) // of the first connection: its PUBACK must not come here
		s.subscribe(1)
		send(s, 7, true)
		await.Soon(f.t, "it is taken again", func() bool { return h.commit(nil) == 1 })
		acked <- read[*packets.PubackPacket](s).MessageID
		s.untilClosed()
	})
	r := run(t, f.config(), []string{"a"}, &memory{}, h)
	await.Soon(t, "two are stored", func() bool { return len(h.payloads()) == 2 && r.metric("edged_receiver_redeliveries_total") == 1 })
	if id := <-acked; id != 7 {
		t.Fatalf("PUBACK %d", id)
	}
}

func TestConnectingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.serve(func(s *session) { s.untilClosed() }) // no CONNACK
	r := run(t, f.config(), []string{"a"}, &memory{}, &handler{})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
}

var _ interface {
	Publish(context.Context, string, []byte, byte, bool) error
	Run(context.Context) error
} = (*Publisher)(nil)
