package configs

import (
	"slices"

	"edged"
	"edged/batches"
	"edged/blockstore"
	"edged/broker/remote"
	"edged/internal/conf"
	"edged/internal/kinds"
	"edged/receiver"
	"edged/sinks"
	"edged/sinks/mqtt"
	"edged/sinks/spec"
)

// ReceiverKinds lists the kinds of receiver, with the settings of an external broker filled in.
func ReceiverKinds() kinds.List[receiver.Config] {
	return receiver.Kinds(func() receiver.Remote { return remote.Default() })
}

// SinkKinds lists the kinds of sink, with the settings of an external broker filled in.
func SinkKinds() kinds.List[spec.Config] {
	return sinks.Kinds(func() spec.Remote {
		a := remote.Default().Access
		a.Broker = mqtt.Embedded
		return &a
	})
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
	taken, unknown := map[string]bool{}, false
	var names []string // that from and join can name and that are streams'
	if t != nil {
		names = slices.DeleteFunc(t.Keys(), func(name string) bool { return slices.Contains(c.receiverNames(), name) })
	}
	for _, name := range names {
		if sub := t.Sub(name); sub != nil {
			for _, from := range append(sub.List("from"), sub.Values("join")...) {
				taken[from] = slices.Contains(names, from)
				unknown = unknown || !taken[from] && !slices.Contains(c.receiverNames(), from)
			}
		}
	}
	each(t, func(sub *conf.Table) {
		s, plan := batches.LoadStream(sub, names, taken[sub.Name()] || unknown) // a name that is wrong may be meant to be this one
		c.Streams = append(c.Streams, Stream{s, plan})
	})
}

func (c *Config) loadSinks(t *conf.Table) {
	list := SinkKinds()
	each(t, func(sub *conf.Table) {
		kind, ok := kinds.Pick(sub, "type", list)
		if !ok {
			c.Sinks = append(c.Sinks, Sink{Name: sub.Name()})
			return
		}
		s := Sink{Name: sub.Name(), Common: sinks.DefaultCommon(), Config: kind.New(), Streams: c.streamsOf(sub.Name())}
		sub.Bind(append([]any{s.Common}, spec.PartsOf(s.Config)...)...)
		s.Common.Check(sub)
		s.Config.Check(sub, spec.Env{Name: s.Name, Streams: s.Streams, Keys: c.Keys(s.Streams), DataDir: c.DataDir, Embedded: c.Broker != nil})
		c.Sinks = append(c.Sinks, s)
	})
}

// streamsOf are the streams whose rows a sink gets; NAME.late is one of them.
func (c *Config) streamsOf(sink string) (out []string) {
	for _, s := range c.Streams {
		for _, name := range s.Sinks {
			if name == sink {
				out = append(out, s.Name)
			}
		}
		if s.Late == sink {
			out = append(out, edged.SideLog(s.Name, edged.Late))
		}
	}
	return out
}

// columnsFor are the columns of streams; nil if they are not known of each.
func (c *Config) columnsFor(streams []string) map[string][]string {
	out := map[string][]string{}
	for _, s := range c.Streams {
		late := edged.SideLog(s.Name, edged.Late)
		takes, takesLate := slices.Contains(streams, s.Name), slices.Contains(streams, late)
		if !takes && !takesLate {
			continue
		}
		if s.Plan == nil || len(s.Plan.Names()) == 0 {
			return nil
		}
		if takes {
			out[s.Name] = append(s.Plan.Names(), edged.Replay) // rows that come again say so
		}
		if takesLate {
			out[late] = s.Plan.LateNames()
		}
	}
	if len(out) < len(streams) || len(out) == 0 {
		return nil
	}
	return out
}

// Keys are the group_by columns of those of the streams that have windows. Rows that came too late for one are told apart by their topics, too.
func (c *Config) Keys(streams []string) map[string][]string {
	keys := map[string][]string{}
	for _, s := range c.Streams {
		if s.Window == "" {
			continue
		}
		names := []string{}
		for _, k := range s.GroupBy {
			names = append(names, k.Key)
		}
		if slices.Contains(streams, s.Name) {
			keys[s.Name] = names
		}
		if late := edged.SideLog(s.Name, edged.Late); slices.Contains(streams, late) {
			keys[late] = append(slices.Clone(names), "topic")
		}
	}
	return keys
}
