package fault

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/rawmqtt"
)

// silence is how long nothing comes before a subscriber believes that nothing will. Where the program was made to lose messages, many do not come, and brevity does.
const silence, brevity = time.Minute, 4 * time.Second

// subscriber is a client with a session that stays, and with the memory that MQTT asks of a receiver of QoS 2: what it has
// taken and not released is not taken again, over connections (MQTT 5, 4.3.3 and 4.1.0). It acknowledges everything. What goes wrong on the
// wire is an error, so that it can be used in goroutines and while the gateway is being killed.
type subscriber struct {
	addr  string
	login rawmqtt.Connect
	w     *rawmqtt.Client // nil while it is away
	id    uint16
	got   []rawmqtt.Message   // what the application was given, in order
	taken map[uint16]string   // QoS 2: payloads by packet identifier, until PUBREL
	wrong []string            // what the broker must not have done
	seen  func(rawmqtt.Frame) // is shown every packet, if it is not nil
	quiet time.Duration       // silence
	limit int                 // what comes when the application has so many messages is not looked at; 0 = it takes everything
}

func newSubscriber(e *harness.Edged, v5 bool, id string) *subscriber {
	s := &subscriber{addr: addr(e), login: login(v5, id), taken: map[uint16]string{}, quiet: silence}
	if e.Tag != "" {
		s.quiet = brevity
	}
	return s
}

// come connects.
func (s *subscriber) come() (present bool, err error) {
	w, ack, err := rawmqtt.Reach(s.addr, s.login)
	if err != nil {
		return false, err
	}
	s.w = w
	if present = ack.Body[0] == 1; !present {
		clear(s.taken) // [MQTT-3.2.2-5]
	}
	return present, nil
}

// leave ends the connection without a word.
func (s *subscriber) leave() {
	if s.w != nil {
		s.w.Drop()
		s.w = nil
	}
}

// subscribe asks for a filter and waits for the answer. props are those of MQTT 5.
func (s *subscriber) subscribe(filter string, options byte, props ...byte) error {
	s.id++
	if _, err := s.w.Write(rawmqtt.Subscription(s.login.V5, s.id, props, rawmqtt.Filter{Name: filter, Options: options})); err != nil {
		return err
	}
	f, err := s.await(0x90)
	if err == nil && f.Codes()[0] > 2 {
		err = fmt.Errorf("subscribing to %s: %v", filter, f)
	}
	return err
}

// unsubscribe takes a filter back and waits for the answer.
func (s *subscriber) unsubscribe(filter string) error {
	s.id++
	if _, err := s.w.Write(rawmqtt.Unsubscribe(s.login.V5, s.id, filter)); err != nil {
		return err
	}
	_, err := s.await(0xB0)
	return err
}

// step takes one packet and answers it.
func (s *subscriber) step(wait time.Duration) (rawmqtt.Frame, error) {
	f, err := s.w.TryRead(wait)
	if err != nil {
		return f, err
	}
	if s.seen != nil {
		s.seen(f)
	}
	if m, ok := f.Message(); ok {
		err = s.take(m)
	} else if f.Kind == 0x62 {
		delete(s.taken, f.ID())
		_, err = s.w.Write(rawmqtt.Ack(0x70, f.ID()))
	}
	return f, err
}

func (s *subscriber) take(m rawmqtt.Message) (err error) {
	before, known := s.taken[m.ID]
	if s.limit > 0 && len(s.got) >= s.limit && !known {
		return nil
	}
	switch {
	case m.QoS < 2:
		s.got = append(s.got, m)
	case !known:
		s.got = append(s.got, m)
		s.taken[m.ID] = m.Payload
	case !m.Dup || before != m.Payload: // an identifier in use is another message's [MQTT-2.2.1-4]
		s.wrong = append(s.wrong, fmt.Sprintf("PUBLISH with identifier %d, in use for %q: %+v", m.ID, before, m))
	}
	if m.QoS == 1 {
		_, err = s.w.Write(rawmqtt.Ack(0x40, m.ID))
	} else if m.QoS == 2 {
		_, err = s.w.Write(rawmqtt.Ack(0x50, m.ID))
	}
	return err
}

// await takes packets until one of a kind comes.
func (s *subscriber) await(kind byte) (rawmqtt.Frame, error) {
	for {
		if f, err := s.step(rawmqtt.Patience); err != nil || f.Kind == kind {
			return f, err
		}
	}
}

// ping takes everything that the broker had on its way, to the end of each delivery, and shows that it has seen our acknowledgements.
func (s *subscriber) ping() error {
	for before := -1; before != len(s.got); {
		before = len(s.got)
		for len(s.taken) > 0 {
			if _, err := s.step(rawmqtt.Patience); err != nil {
				return fmt.Errorf("client %s: %d deliveries were not released: %w", s.login.ID, len(s.taken), err)
			}
		}
		if _, err := s.w.Write([]byte{0xC0, 0}); err != nil {
			return err
		}
		if _, err := s.await(0xD0); err != nil {
			return err
		}
	}
	return nil
}

// fetch takes packets until the application has n messages or nothing comes any more, and then what there is beyond.
func (s *subscriber) fetch(n int) error {
	for len(s.got) < n {
		if _, err := s.step(s.quiet); err != nil {
			return nil //nolint:nilerr // what is missing is judged by the caller
		}
	}
	return s.ping()
}

// collect is fetch until all of these have come.
func (s *subscriber) collect(wanted []string) error {
	missing := map[string]bool{}
	for _, p := range wanted {
		missing[p] = true
	}
	for done := 0; ; {
		for ; done < len(s.got); done++ {
			delete(missing, s.got[done].Payload)
		}
		if len(missing) == 0 {
			return s.ping()
		}
		if _, err := s.step(s.quiet); err != nil {
			return nil //nolint:nilerr // what is missing is judged by the caller
		}
	}
}

// payloads are those that came with at least a QoS.
func (s *subscriber) payloads(qos byte) []string { return payloads(s.got, qos) }

// begin connects and subscribes, or fails the test.
func (s *subscriber) begin(t testing.TB, qos byte, filters ...string) {
	t.Helper()
	if _, err := s.come(); err != nil {
		t.Fatal(err)
	}
	for _, f := range filters {
		s.ask(t, f, qos)
	}
}

// ask subscribes, or fails the test.
func (s *subscriber) ask(t testing.TB, filter string, options byte, props ...byte) {
	t.Helper()
	if err := s.subscribe(filter, options, props...); err != nil {
		t.Fatal(err)
	}
}

// back connects and says whether the session was there. It fails the test if it is not as expected.
func (s *subscriber) back(t testing.TB, want bool) (present bool) {
	t.Helper()
	present, err := s.come()
	if err != nil {
		t.Fatal(err)
	}
	if present != want {
		t.Errorf("client %s: session present is %v", s.login.ID, present)
	}
	return present
}

// returns connects to a session that must be there, and collects what must come.
func (s *subscriber) returns(t testing.TB, wanted []string) {
	t.Helper()
	if s.back(t, true) {
		must(t, s.collect(wanted))
	}
}

// proper reports what the broker must not have done.
func (s *subscriber) proper(t testing.TB) {
	t.Helper()
	if len(s.wrong) > 0 {
		t.Errorf("client %s: %s", s.login.ID, some(s.wrong))
	}
	if late := outOfOrder(s.got); len(late) > 0 {
		t.Errorf("client %s: out of order: %s", s.login.ID, some(late))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// subscriptionIDs are those of a message, in order (MQTT 5, 3.3.2.3.8).
func subscriptionIDs(m rawmqtt.Message) (ids []int) {
	ps, _, _ := rawmqtt.Parse(rawmqtt.Props([]byte(m.Props)))
	for _, v := range ps.All(0x0B) {
		n, _ := binary.Uvarint([]byte(v))
		ids = append(ids, int(n))
	}
	slices.Sort(ids)
	return ids
}
