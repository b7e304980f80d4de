package configs

import (
	"path/filepath"
	"slices"

	"edged/internal/conf"
	"edged/receiver"
)

// crossJoin holds a stream's join against its other side: a receiver, or another stream.
func (c *Config) crossJoin(sub *conf.Table, s Stream, known []string) {
	other := s.Joined()
	if other == "" {
		return
	}
	if !slices.Contains(known, other) {
		sub.Errorf("join", "join: there is no [receiver.%s] or [stream.%s]%s", other, other, conf.Suggest(other, known))
		return
	}
	table := c.Table(other)
	switch {
	case table != nil && s.Within != 0:
		sub.Errorf("within", "within: %s is a table, which has no time; leave it out", other)
	case table == nil && s.Within == 0 && !sub.Bad("within") && !c.unknown(other):
		sub.Errorf("join", `join: the join with %s needs within, how far apart the times of two rows may be, such as within = "5s"; only a receiver of type "table" is joined without`, other)
	case table != nil && s.JoinDecode == "" && slices.Contains([]string{".json", ".ndjson", ".jsonl"}, filepath.Ext(table.Path)):
		sub.Notef("join", `stream %s reads the table %s as CSV; if its lines are JSON, set join_decode = "json"`, s.Name, table.Path)
	}
}

// Table is the receiver of that name if it is a table, else nil.
func (c *Config) Table(name string) *receiver.Table {
	for _, r := range c.Receivers {
		if t, ok := r.Config.(*receiver.Table); ok && r.Name == name {
			return t
		}
	}
	return nil
}

// unknown reports whether a receiver's kind is not known: what it is was said already.
func (c *Config) unknown(name string) bool {
	return slices.ContainsFunc(c.Receivers, func(r Receiver) bool { return r.Name == name && r.Config == nil })
}
