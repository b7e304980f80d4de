package configs

import (
	"fmt"
	"slices"
	"strings"

	"edged"
	"edged/broker/remote"
	"edged/internal/conf"
	"edged/internal/topic"
	"edged/receiver"
	"edged/sinks/mqtt"
)

// way is one step of rows: out of a stream, by a sink, into a stream.
type way struct {
	from, sink, to string
	why            string // "results/# comes back by receiver field (site/#)"
}

// crossLoops finds rows that flow back into the stream that made them: each would make further ones, for ever.
func (c *Config) crossLoops(t *top) {
	ways := c.ways()
	each(t.Sink, func(sub *conf.Table) {
		for _, w := range ways {
			if w.sink != sub.Name() {
				continue
			}
			if loop := back(ways, w); loop != nil {
				sub.Errorf("topic", "topic: what stream %s publishes here flows back into it, for ever: %s; publish to a topic that none of these receivers takes, or narrow the topics of the stream", w.from, tell(loop))
				return
			}
		}
	})
}

// back is the shortest chain of ways that begins with w and ends where it began; nil if there is none.
func back(ways []way, w way) []way {
	chains := [][]way{{w}}
	seen := map[string]bool{}
	for len(chains) > 0 {
		chain := chains[0]
		chains = chains[1:]
		at := chain[len(chain)-1].to
		if at == w.from {
			return chain
		}
		if seen[at] {
			continue
		}
		seen[at] = true
		for _, next := range ways {
			if next.from == at {
				chains = append(chains, append(slices.Clone(chain), next))
			}
		}
	}
	return nil
}

func tell(loop []way) string {
	var steps []string
	for _, w := range loop {
		steps = append(steps, w.why)
	}
	return strings.Join(steps, ", then ")
}

// ways lists the steps that lead from stream to stream.
func (c *Config) ways() (out []way) {
	for _, k := range c.Sinks {
		m, ok := k.Config.(*mqtt.Config)
		if !ok {
			continue
		}
		for _, stream := range k.Streams {
			filter := m.Filter(stream)
			if filter == "" {
				continue
			}
			for _, to := range c.Streams {
				if r, taken := c.takes(to, m, filter); taken != "" {
					out = append(out, way{edged.StreamOf(stream), k.Name, to.Name, fmt.Sprintf("sink %s publishes to %s, and receiver %s takes %s for stream %s", k.Name, filter, r, taken, to.Name)})
				}
			}
		}
	}
	for _, s := range c.Streams { // streams that take rows of others
		for _, from := range s.Sources() {
			if c.gives(from) {
				out = append(out, way{from, "", s.Name, fmt.Sprintf("stream %s takes from stream %s", s.Name, from)})
			}
		}
	}
	return out
}

// takes finds a receiver that brings a stream what is published to the filter, on the sink's broker; taken is the receiver's topic.
func (c *Config) takes(s Stream, m *mqtt.Config, filter string) (name, taken string) {
	for _, r := range c.Receivers {
		in, ok := r.Config.(*receiver.MQTT)
		if !ok || !asks(s, r.Name, filter) || brokerOf(in) != sinkBroker(m) {
			continue
		}
		for _, f := range in.Topics {
			if topic.Overlap(plainFilter(f), filter) {
				return r.Name, f
			}
		}
	}
	return "", ""
}

// asks reports whether a stream takes topics of a filter from a receiver, on either side of its join.
func asks(s Stream, receiver, filter string) bool {
	overlaps := func(f string) bool { return topic.Overlap(f, filter) }
	return slices.Contains(s.From, receiver) && slices.ContainsFunc(s.Topics, overlaps) ||
		s.Joined() == receiver && (len(s.JoinTopics) == 0 || slices.ContainsFunc(s.JoinTopics, overlaps))
}

// plainFilter is the filter of a shared subscription (MQTT 5, 4.8.2), or the filter itself.
func plainFilter(f string) string {
	if rest, shared := strings.CutPrefix(f, "$share/"); shared {
		_, f, _ = strings.Cut(rest, "/")
	}
	return f
}

// brokerOf is the address of a receiver's broker; "" is the embedded one.
func brokerOf(m *receiver.MQTT) string {
	if a, ok := m.Remote.(*remote.Config); ok && a.Broker != "" {
		return a.Address()
	}
	return ""
}

// sinkBroker is the address of a sink's broker; "" is the embedded one.
func sinkBroker(m *mqtt.Config) string {
	if external := m.External(); external != nil {
		return external.Address()
	}
	return ""
}
