package configs

import (
	"slices"

	"edged/internal/conf"
)

// Chained reports whether a stream takes from another one. In from, a name that a receiver has is the receiver's.
func (c *Config) Chained(stream string) bool { return len(c.Takers(stream)) > 0 }

// Takers are the streams that take from a stream.
func (c *Config) Takers(stream string) (names []string) {
	for _, s := range c.Streams {
		if c.gives(stream) && slices.Contains(s.Sources(), stream) {
			names = append(names, s.Name)
		}
	}
	return names
}

// gives reports whether a name in from is that of a stream.
func (c *Config) gives(name string) bool {
	return slices.Contains(c.streamNames(), name) && !slices.Contains(c.receiverNames(), name)
}

func (c *Config) streamNames() (names []string) {
	for _, s := range c.Streams {
		names = append(names, s.Name)
	}
	return names
}

// Sources are the receivers that a stream takes from, directly or by way of others.
func (c *Config) Sources(stream string) (receivers []string) {
	_, receivers = c.upstream(stream)
	return receivers
}

// Before are the streams that a stream takes from, directly or by way of others.
func (c *Config) Before(stream string) (streams []string) {
	streams, _ = c.upstream(stream)
	return streams
}

// upstream are the streams and the receivers that a stream takes from, and those that these streams take from, and so on.
func (c *Config) upstream(stream string) (streams, receivers []string) {
	for todo := []string{stream}; len(todo) > 0; todo = todo[1:] {
		for _, s := range c.Streams {
			if s.Name != todo[0] {
				continue
			}
			for _, from := range s.Sources() {
				switch {
				case !c.gives(from) && !slices.Contains(receivers, from):
					receivers = append(receivers, from)
				case !c.gives(from):
				case !slices.Contains(streams, from):
					streams, todo = append(streams, from), append(todo, from)
				}
			}
		}
	}
	return streams, receivers
}

// crossChain checks what a stream takes from others.
func (c *Config) crossChain(sub *conf.Table, s Stream) {
	if before := c.Before(s.Name); slices.Contains(before, s.Name) {
		for _, o := range c.Streams { // it is said once, of the first one of the circle
			if o.Name == s.Name {
				sub.Errorf("from", "from: stream %s takes its own rows, for ever: %s", s.Name, c.circle(s.Name))
			}
			if slices.Contains(before, o.Name) && slices.Contains(c.Before(o.Name), s.Name) {
				break
			}
		}
		return
	}
	if s.Plan == nil {
		return
	}
	var dated, others []string
	for _, from := range s.Sources() {
		if c.Table(from) != nil { // it has no time
			continue
		}
		if c.dated(from) {
			dated = append(dated, from)
		} else {
			others = append(others, from)
		}
	}
	own := s.Time != "arrival" && s.Idle == 0 // its time is that of its rows alone
	if len(dated) > 0 && len(others) > 0 && !own {
		sub.Errorf("from", "from: rows of stream %s are dated by a field of the payloads, messages of %s by the gateway's clock: no window could tell when both have come to its end; take them in two streams, or by a time field of this stream with idle = \"0s\"",
			dated[0], others[0])
	}
}

// dated reports whether the rows of a stream arrive by a field of some payloads, its own or those of a stream before it.
func (c *Config) dated(stream string) bool {
	if !c.gives(stream) {
		return false
	}
	before, _ := c.upstream(stream)
	for _, name := range append(before, stream) {
		for _, s := range c.Streams {
			if s.Name == name && s.Plan != nil && s.Plan.Dated() {
				return true
			}
		}
	}
	return false
}

// given are the topics of what a stream takes from other streams.
func (c *Config) given(s Stream) (topics []string) {
	for _, o := range c.Streams {
		switch {
		case !c.gives(o.Name) || !slices.Contains(s.From, o.Name):
		case o.Window != "":
			topics = append(topics, o.Name)
		case len(o.Topics) > 0:
			topics = append(topics, o.Topics...)
		default:
			topics = append(topics, "#")
		}
	}
	return topics
}

// circle tells the way of a stream's rows back into it.
func (c *Config) circle(stream string) string {
	var ways []way
	for _, w := range c.ways() {
		if w.sink == "" {
			ways = append(ways, w)
		}
	}
	for _, w := range ways {
		if w.from == stream {
			if loop := back(ways, w); loop != nil {
				return tell(loop)
			}
		}
	}
	return ""
}
