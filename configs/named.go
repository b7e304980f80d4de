package configs

import (
	"maps"
	"slices"
	"strings"

	"edged/internal/conf"
	"edged/sinks/spec"
)

// crossNamed holds the columns that a sink's table names against those that the rows of its streams have. If those of one stream are not known,
// because it has a mistake of its own, nothing is said.
func (c *Config) crossNamed(t *conf.Table) {
	at := slices.IndexFunc(c.Sinks, func(s Sink) bool { return s.Name == t.Name() })
	if at < 0 {
		return
	}
	s := c.Sinks[at]
	names, ok := s.Config.(spec.Names)
	columns := c.columnsFor(s.Streams)
	if !ok || columns == nil {
		return
	}
	known := []string{"stream"}
	for _, list := range columns {
		known = append(known, list...)
	}
	slices.Sort(known)
	known = slices.Compact(known)
	said := map[spec.Named]bool{}
	for _, n := range names.Named() {
		if said[n] {
			continue
		}
		said[n] = true
		at, key := t, n.Key
		if n.Table != "" {
			at, key = t.Sub(n.Table), n.Table+"."+n.Key
		}
		if !slices.Contains(known, n.Column) {
			at.Itemf(n.Key, "%s: no stream of this sink has a column %q%s; there are %s", key, n.Column, conf.Suggest(n.Column, known), strings.Join(known, ", "))
			continue
		}
		for _, stream := range slices.Sorted(maps.Keys(columns)) {
			if n.Filled && n.Column != "stream" && !slices.Contains(columns[stream], n.Column) {
				at.Notef(n.Key, "%s: the rows of stream %s have no column %q: null stands in its place", key, stream, n.Column)
			}
		}
	}
}
