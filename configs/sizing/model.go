package sizing

import (
	"edged/blockstore"
	"edged/configs"
)

// model is a gateway under its messages. Everything is a second and in bytes, unless said.
type model struct {
	c       *configs.Config
	sources []source
	streams []stream
	sinks   []sink
	sync    float64 // seconds
}

// source is what one receiver stores.
type source struct {
	name    string
	flows   []Flow
	rate    float64
	payload float64 // of all messages, topics included
	waits   float64 // messages that somebody waits for
	memory  bool    // never on disk
}

// newModel lays the flows over the configuration.
func newModel(c *configs.Config, fl []Flow, sync float64) *model {
	m := &model{c: c, sync: sync}
	for _, r := range c.Receivers {
		s := source{name: r.Name, memory: r.Common.Storage == blockstore.Levels[blockstore.Memory]}
		for _, f := range fl {
			if !takes(r, f.Topic) {
				continue
			}
			s.flows = append(s.flows, f)
			s.rate += f.Rate
			s.payload += f.Rate * float64(f.Bytes+len(f.Topic))
			if f.Waits && !s.memory {
				s.waits += f.Rate
			}
		}
		s.bound(float64(r.Common.MaxRate))
		if s.rate > 0 {
			m.sources = append(m.sources, s)
		}
	}
	m.addStreams()
	m.addSinks()
	return m
}

// bound slows a source down to max_rate; 0 is none.
func (s *source) bound(most float64) {
	if most == 0 || s.rate <= most {
		return
	}
	share := most / s.rate
	s.rate, s.payload, s.waits = most, s.payload*share, s.waits*share
	for i := range s.flows {
		s.flows[i].Rate *= share
	}
}

// disk are the sources whose messages are stored.
func (m *model) disk() (out []source) {
	for _, s := range m.sources {
		if !s.memory {
			out = append(out, s)
		}
	}
	return out
}

func (m *model) rate() (messages, waits, payload float64) {
	for _, s := range m.sources {
		messages += s.rate
		waits += s.waits
		if !s.memory {
			payload += s.payload
		}
	}
	return messages, waits, payload
}
