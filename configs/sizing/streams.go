package sizing

import (
	"slices"
	"time"

	"edged/batches/window"
	"edged/configs"
	"edged/internal/conf"
)

// stream is what one stream makes of its messages, if where, changed and having let everything pass.
type stream struct {
	configs.Stream
	in     float64 // messages
	bytes  float64 // of their topics and payloads, each, on average
	groups float64
	rows   float64 // given
	closes float64 // windows that end with something in them
	row    float64 // bytes of a row in a file
	cells  float64 // of a result in the log
	names  float64 // of its columns
	group  int64   // bytes of a group in memory, with one row
	state  float64 // of them, saved
	window window.Spec
}

// results reports whether what it gives is stored as results, so that a sink that is away holds those and not the messages.
func (s *stream) results() bool { return s.Plan.Logged() }

func (m *model) addStreams() {
	for left := slices.Clone(m.c.Streams); len(left) > 0; {
		before := len(left)
		left = slices.DeleteFunc(left, func(c configs.Stream) bool {
			if !m.ready(c) {
				return false
			}
			m.streams = append(m.streams, m.streamOf(c))
			return true
		})
		if len(left) == before {
			return // a circle is refused when the configuration is loaded
		}
	}
}

// ready reports whether every stream that it takes from is known.
func (m *model) ready(c configs.Stream) bool {
	for _, from := range c.From {
		if m.isStream(from) && m.find(from) == nil {
			return false
		}
	}
	return true
}

// isStream reports whether a name in from is a stream's; one that a receiver has is the receiver's.
func (m *model) isStream(name string) bool {
	return slices.ContainsFunc(m.c.Streams, func(s configs.Stream) bool { return s.Name == name }) &&
		!slices.ContainsFunc(m.c.Receivers, func(r configs.Receiver) bool { return r.Name == name })
}

func (m *model) find(name string) *stream {
	for i := range m.streams {
		if m.streams[i].Name == name {
			return &m.streams[i]
		}
	}
	return nil
}

func (m *model) streamOf(c configs.Stream) stream {
	s := stream{Stream: c}
	topics, bytes := 0.0, 0.0
	for _, from := range c.From {
		if src := m.find(from); src != nil && m.isStream(from) {
			s.in, bytes, topics = s.in+src.rows, bytes+src.rows*src.row, topics+src.groups
			continue
		}
		for _, src := range m.sources {
			for _, f := range src.flows {
				if src.name == from && c.Plan.Takes(from, f.Topic) {
					s.in, bytes, topics = s.in+f.Rate, bytes+f.Rate*float64(f.Bytes+len(f.Topic)), topics+float64(f.Topics)
				}
			}
		}
	}
	if s.in > 0 {
		s.bytes = bytes / s.in
	}
	s.groups = 1
	if len(c.GroupBy) > 0 {
		s.groups = min(max(topics, 1), float64(c.MaxGroups))
	}
	if b := c.Plan.Explain().State; b != nil {
		s.group = b.Parts*b.Least + b.Key
		s.state = max(0, float64(b.Least)-256-48*float64(len(c.Aggregate)))
	}
	s.window, _ = window.Parse(c.Window) // checked when it was loaded
	s.give()
	s.measureRow()
	return s
}

// give works out how much leaves.
func (s *stream) give() {
	every := time.Duration(s.window.Every).Seconds()
	switch {
	case !s.Plan.Windowed():
		if s.rows = s.in; s.Throttle > 0 {
			s.rows = min(s.rows, s.groups/s.Throttle.D().Seconds())
		}
		if s.Sample > 1 {
			s.rows /= float64(s.Sample)
		}
	case s.window.OnGrid():
		s.closes = often(s.in, every)
		s.rows = s.groups * often(s.in/s.groups, time.Duration(s.window.Size).Seconds()) * time.Duration(s.window.Size).Seconds() / every
	case s.window.Rows > 0:
		s.rows = s.in / float64(s.window.Rows)
		s.closes = often(s.rows, 1)
	default: // a session, running, batch: a result a group and second at most
		s.rows = s.groups * often(s.in/s.groups, max(1, time.Duration(s.window.Gap).Seconds()))
		s.closes = often(s.rows, 1)
	}
	if early := s.EmitEvery.D().Seconds(); early > 0 {
		s.closes += often(s.in, early)
		s.rows += s.groups * often(s.in/s.groups, early)
	}
}

// signs are the columns of a result that are absent as a rule.
var signs = []string{"epoch", "clock_trusted", "revision", "partial"}

// measureRow works out how long a row is: a text of a key has three letters, a number eight.
func (s *stream) measureRow() {
	const key, number, moment = 3, 8, 20
	if !s.Plan.Windowed() {
		s.row = float64(76+len(s.Name)) + s.bytes // {"stream":"…","time":"…","topic":"…","payload":…}
		s.cells = s.bytes + 20
		return
	}
	s.row = float64(13 + len(s.Name))
	for _, name := range s.Plan.Names() {
		if slices.Contains(signs, name) {
			s.names, s.cells = s.names+float64(len(name)+1), s.cells+1
			continue
		}
		s.row += float64(len(name) + 4)
		s.names += float64(len(name) + 1)
		switch {
		case name == "window_start" || name == "window_end":
			s.row, s.cells = s.row+moment+2, s.cells+cellNumber
		case slices.ContainsFunc(s.GroupBy, func(p conf.Pair) bool { return p.Key == name }):
			s.row, s.cells = s.row+key+2, s.cells+key+2
		default:
			s.row, s.cells = s.row+number, s.cells+cellNumber
		}
	}
}
