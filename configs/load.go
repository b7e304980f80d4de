package configs

import (
	"slices"

	"edged/batches"
	"edged/blockstore"
	"edged/broker/remote"
	"edged/internal/conf"
	"edged/internal/kinds"
	"edged/receiver"
	"edged/sinks"
	"edged/sinks/spec"
)

// ReceiverKinds lists the kinds of receiver, with the settings of an external broker filled in.
func ReceiverKinds() kinds.List[receiver.Config] {
	return receiver.Kinds(func() receiver.Remote { return remote.Default() })
}

func (c *Config) loadReceivers(t *conf.Table) {
	list := ReceiverKinds()
	each(t, func(sub *conf.Table) {
		kind, ok := kinds.Pick(sub, "type", list)
		if !ok {
			c.Receivers = append(c.Receivers, Receiver{Name: sub.Name()}) // its name is known: who names it is not wrong
			return
		}
		r := Receiver{sub.Name(), receiver.DefaultCommon(), kind.New()}
		sub.Bind(append([]any{r.Common}, r.Config.Fields()...)...)
		r.Common.Check(sub, blockstore.Levels)
		r.Config.Check(sub, receiver.Env{Name: r.Name, DataDir: c.DataDir, Embedded: c.Broker != nil})
		c.Receivers = append(c.Receivers, r)
	})
}

func (c *Config) loadStreams(t *conf.Table) {
	each(t, func(sub *conf.Table) {
		s, plan := batches.LoadStream(sub)
		c.Streams = append(c.Streams, Stream{s, plan})
	})
}

func (c *Config) loadSinks(t *conf.Table) {
	list := sinks.Kinds()
	each(t, func(sub *conf.Table) {
		kind, ok := kinds.Pick(sub, "type", list)
		if !ok {
			c.Sinks = append(c.Sinks, Sink{Name: sub.Name()})
			return
		}
		s := Sink{Name: sub.Name(), Common: sinks.DefaultCommon(), Config: kind.New(), Streams: c.streamsOf(sub.Name())}
		sub.Bind(s.Common, s.Config)
		s.Common.Check(sub)
		s.Config.Check(sub, spec.Env{Name: s.Name, Streams: s.Streams, Columns: c.columnsFor(s.Streams), DataDir: c.DataDir})
		c.Sinks = append(c.Sinks, s)
	})
}

func (c *Config) streamsOf(sink string) (out []string) {
	for _, s := range c.Streams {
		for _, name := range s.Sinks {
			if name == sink {
				out = append(out, s.Name)
			}
		}
	}
	return out
}

// columnsFor are the columns of streams; nil if they are not known of each.
func (c *Config) columnsFor(streams []string) map[string][]string {
	out := map[string][]string{}
	for _, s := range c.Streams {
		if !slices.Contains(streams, s.Name) {
			continue
		}
		if s.Plan == nil || len(s.Plan.Columns()) == 0 {
			return nil
		}
		out[s.Name] = s.Plan.Columns()
	}
	if len(out) < len(streams) || len(out) == 0 {
		return nil
	}
	return out
}
