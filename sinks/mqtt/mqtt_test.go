package mqtt

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"edged"
	"edged/internal/conf"
	"edged/sinks/encode"
	"edged/sinks/sinktest"
	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broker acknowledges what it takes.
type broker struct {
	mu    sync.Mutex
	taken []edged.Message
	left  int // messages until it refuses; < 0: all
	hung  chan struct{}
	away  bool // nobody can connect
	dead  bool // connections are lost
	dials int
	slip  int // messages that it takes behind the one that it refuses
}

var errAway = errors.New("the broker is away")

func (b *broker) dial(context.Context, spec.Remote) (spec.Publisher, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dials++
	if b.away {
		return nil, errAway
	}
	b.dead = false
	return b, nil
}

func (b *broker) Publish(ctx context.Context, ms []edged.Message) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hung != nil {
		close(b.hung)
		b.hung = nil
		<-ctx.Done()
		return 0, ctx.Err()
	}
	for i, m := range ms {
		if b.left == 0 {
			b.taken = append(b.taken, ms[i+1:min(len(ms), i+1+b.slip)]...)
			return i, errAway
		}
		b.left--
		b.taken = append(b.taken, m)
	}
	return len(ms), nil
}

func (b *broker) Ready() bool { b.mu.Lock(); defer b.mu.Unlock(); return !b.dead }
func (b *broker) Close()      {}

func (b *broker) topics() (out []string) {
	for _, m := range b.taken {
		out = append(out, m.Topic)
	}
	return out
}

func (b *broker) payloads() (out []string) {
	for _, m := range b.taken {
		out = append(out, string(m.Payload))
	}
	return out
}

func env(b *broker) spec.Env {
	return spec.Env{Name: "hub", Embedded: true, Log: slog.New(slog.DiscardHandler), Metrics: metrics.NewSet(), Dial: b.dial}
}

// settings of a broker, which is the embedded one unless they say otherwise.
type settings struct {
	Broker string `toml:"broker" doc:""`
	ID     string `toml:"client_id" doc:""`
}

func (s *settings) Check(t *conf.Table, name, _ string) {
	t.Notef("broker", "%s at %s", name, s.Broker)
}
func (s *settings) Address() string { return s.Broker }

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		b := &broker{left: -1}
		c := Default(&settings{Broker: Embedded})
		e := env(b)
		return sinktest.Harness{
			Guarantee: sinktest.AtLeastOnce,
			New:       func() edged.Sink { return c.New(e) },
			Encode:    encode.AppendNDJSON,
			Arrived: func() (out []sinktest.Arrival) {
				for _, p := range b.payloads() {
					out = append(out, sinktest.Arrival{Body: []byte(p + "\n")})
				}
				return out
			},
			Refuse: func(after []edged.Delivery) func() {
				b.left = 0
				for _, d := range after {
					b.left += d.Rows.Len()
				}
				return func() { b.left = -1 }
			},
			Hang: func() (<-chan struct{}, func()) {
				b.hung = make(chan struct{})
				return b.hung, func() {}
			},
		}
	})
}

func rows(stream string, names []string, cells ...edged.Value) *edged.Rows {
	return &edged.Rows{Stream: stream, Names: names, Cells: cells, At: make([]edged.Pos, len(cells)/len(names))}
}

func open(t *testing.T, b *broker, c *Config) edged.Sink {
	t.Helper()
	s := c.New(env(b))
	if err := s.Open(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A value makes levels of a topic, and nothing that is no topic.
func TestTopics(t *testing.T) {
	for value, want := range map[edged.Value]string{
		edged.TextValue("7"):                    "7",
		edged.TextValue("a/b"):                  "a/b",
		edged.TextValue("a+b#c\x00d\ne"):        "a_b_c_d_e",
		edged.TextValue(""):                     "_",
		edged.TextValue("/a//b/"):               "_/a/_/b/_",
		edged.TextValue("\xff\xc3é"):            "__é",
		edged.NumberValue(2.5):                  "2.5",
		edged.BoolValue(true):                   "true",
		edged.NullValue():                       "null",
		{}:                                      "null",
		edged.TimeValue(0):                      "1970-01-01T00:00:00Z",
		edged.JSONValue(`{"a":"+/#"}`):          `{"a":"_/_"}`,
		edged.TextValue("$SYS/x"):               "$SYS/x",
		edged.TextValue(strings.Repeat("/", 3)): "_/_/_/_",
	} {
		b := &broker{left: -1}
		c := Default(&settings{Broker: Embedded})
		c.Topic = "r/{stream}/{v}/{nosuch}"
		if _, _, err := open(t, b, c).Write(t.Context(), []edged.Delivery{{Key: "k", Rows: rows("s", []string{"v"}, value)}}); err != nil {
			t.Fatal(err)
		}
		if got := b.topics()[0]; got != "r/s/"+want+"/null" {
			t.Errorf("%q: %s, want %s", value.Str(), got, want)
		}
	}
	b := &broker{left: -1}
	c := Default(&settings{Broker: Embedded})
	c.Topic = "{v}"
	if _, _, err := open(t, b, c).Write(t.Context(), []edged.Delivery{{Key: "k", Rows: rows("s", []string{"v"}, edged.TextValue("$SYS/x"))}}); err != nil || b.topics()[0] != "_SYS/x" {
		t.Error(err, b.topics())
	}
}

func TestPayloads(t *testing.T) {
	b := &broker{left: -1}
	c := Default(&settings{Broker: Embedded})
	c.Payload, c.QoS, c.Retain = "v", 2, true
	s := open(t, b, c)
	d := edged.Delivery{Key: "k", Rows: rows("s", []string{"v"}, edged.NumberValue(21.5), edged.TextValue(`a "b"`), edged.NullValue(), edged.Value{}, edged.JSONValue(`[1]`))}
	other := edged.Delivery{Key: "l", Rows: rows("s", []string{"w"}, edged.NumberValue(1))}
	if _, _, err := s.Write(t.Context(), []edged.Delivery{d, other}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"21.5", `a "b"`, "null", "null", "[1]", "null"}; !slices.Equal(b.payloads(), want) {
		t.Errorf("%q", b.payloads())
	}
	if m := b.taken[0]; m.QoS != 2 || !m.Retain || m.Topic != "results/s" {
		t.Errorf("%+v", m)
	}
}

// What was acknowledged of a delivery is not published again while the process lives; what came behind it is.
func TestOnlyWhatIsNotAcknowledgedComesAgain(t *testing.T) {
	b := &broker{left: 4, slip: 1}
	c := Default(&settings{Broker: Embedded})
	c.Payload = "v"
	s := open(t, b, c)
	number := func(n float64) edged.Value { return edged.NumberValue(n) }
	turn := []edged.Delivery{
		{Key: "a", Rows: rows("s", []string{"v"}, number(1), number(2))},
		{Key: "b", Rows: rows("s", []string{"v"}, number(3), number(4), number(5), number(6))},
	}
	done, _, err := s.Write(t.Context(), turn)
	if done != 1 || !errors.Is(err, errAway) || !strings.HasSuffix(err.Error(), "; its rows wait in the store") {
		t.Fatal(done, err)
	}
	if done, _, err = s.Write(t.Context(), turn[1:]); done != 0 || err == nil {
		t.Fatal(done, err)
	}
	b.left = 1
	s.Close()
	if err := s.Open(t.Context(), nil, turn[1:]); err != nil {
		t.Fatal(err)
	}
	if done, _, err = s.Write(t.Context(), turn[1:]); done != 0 || err == nil {
		t.Fatal(done, err)
	}
	b.left = -1
	if done, _, err = s.Write(t.Context(), turn[1:]); done != 1 || err != nil {
		t.Fatal(done, err)
	}
	if want := []string{"1", "2", "3", "4", "6", "6", "5", "6"}; !slices.Equal(b.payloads(), want) {
		t.Errorf("%q", b.payloads())
	}
	if _, _, err = s.Write(t.Context(), turn[1:]); err != nil || len(b.taken) != 12 { // the commit failed, say: all of it comes again
		t.Errorf("%q, %v", b.payloads(), err)
	}
}

// A connection that was lost while there was nothing to do is made anew, without a word.
func TestAConnectionLostInIdlenessIsMadeAnew(t *testing.T) {
	b := &broker{left: -1}
	c := Default(&settings{Broker: Embedded})
	s := open(t, b, c)
	b.dead = true
	turn := []edged.Delivery{{Key: "a", Rows: rows("s", []string{"v"}, edged.NullValue())}}
	if done, _, err := s.Write(t.Context(), turn); done != 1 || err != nil || b.dials != 2 {
		t.Error(done, err, b.dials)
	}
	b.dead, b.away = true, true
	if done, _, err := s.Write(t.Context(), turn); done != 0 || !errors.Is(err, errAway) {
		t.Error(done, err)
	}
}

// A row that no broker could take is poison, and nothing of its delivery has left; those before it are done.
func TestWhatCanNeverBePublished(t *testing.T) {
	for name, bad := range map[string]edged.Value{"payload": edged.TextValue(strings.Repeat("x", 300<<10)), "topic": edged.TextValue(strings.Repeat("x", 66000))} {
		b := &broker{left: -1}
		c := Default(&settings{Broker: Embedded})
		if name == "topic" {
			c.Topic = "r/{v}"
		}
		good := edged.TextValue("x")
		turn := []edged.Delivery{{Key: "a", Rows: rows("s", []string{"v"}, good)}, {Key: "b", Rows: rows("s", []string{"v"}, good, bad)}, {Key: "c", Rows: rows("s", []string{"v"}, good)}}
		done, _, err := open(t, b, c).Write(t.Context(), turn)
		if done != 1 || edged.ClassOf(err) != edged.Poison || len(b.taken) != 1 {
			t.Errorf("%s: %d done, %v, %d published", name, done, err, len(b.taken))
		}
	}
}

// A turn of any size is published in batches, in order.
func TestALargeTurn(t *testing.T) {
	b := &broker{left: -1}
	c := Default(&settings{Broker: Embedded})
	var turn []edged.Delivery
	var want []byte
	for d := range 30 {
		r := &edged.Rows{Stream: "s", Names: []string{"n", "pad"}}
		for i := range 100 {
			r.Cells = append(r.Cells, edged.NumberValue(float64(d*100+i)), edged.TextValue(strings.Repeat("x", 200)))
			r.At = append(r.At, edged.Pos{})
		}
		turn = append(turn, edged.Delivery{Key: string(rune('a' + d)), Rows: r})
		want = encode.AppendNDJSON(want, r)
	}
	if done, _, err := open(t, b, c).Write(t.Context(), turn); done != 30 || err != nil {
		t.Fatal(done, err)
	}
	if got := strings.Join(b.payloads(), "\n") + "\n"; got != string(want) {
		t.Error("the rows did not arrive as they were")
	}
}
