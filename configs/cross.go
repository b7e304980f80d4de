package configs

import (
	"fmt"
	"path/filepath"
	"slices"

	"edged"
	"edged/blockstore"
	"edged/internal/conf"
	"edged/internal/topic"
	"edged/sinks/file"
)

// cross checks what the tables say of each other.
func (c *Config) cross(root *conf.Table, t *top) {
	receivers, sinkNames := c.receiverNames(), c.sinkNames()
	each(t.Stream, func(sub *conf.Table) {
		for _, s := range c.Streams {
			if s.Name != sub.Name() {
				continue
			}
			known := append(slices.Clone(receivers), c.streamNames()...)
			for _, r := range s.From {
				if !slices.Contains(known, r) {
					sub.Itemf("from", "from: there is no [receiver.%s] or [stream.%s]%s", r, r, conf.Suggest(r, known))
				}
			}
			c.crossChain(sub, s)
			for _, k := range s.Sinks {
				if !slices.Contains(sinkNames, k) {
					sub.Itemf("sinks", "sinks: there is no [sink.%s]%s", k, conf.Suggest(k, sinkNames))
				}
			}
			if s.Late != "" && !slices.Contains(sinkNames, s.Late) {
				sub.Errorf("late", "late: there is no [sink.%s]%s", s.Late, conf.Suggest(s.Late, sinkNames))
			}
			c.crossJoin(sub, s, known)
			c.noteTopics(sub, s)
			c.noteBlocking(sub, s)
		}
	})
	each(t.Sink, func(sub *conf.Table) {
		if sub.Name() == edged.DeadLetters {
			sub.Errorf("", "[%s]: the name is the gateway's own; dead letters are configured in [dead_letters]", sub.Title())
		}
		if len(c.streamsOf(sub.Name())) == 0 {
			sub.Notef("", "sink %s gets nothing: no stream names it", sub.Name())
		}
	})
	each(t.Receiver, c.noteBackpressure)
	c.crossPaths(t)
	c.crossClients(t)
	c.crossLoops(t)
	each(t.Sink, c.crossNamed)
	if len(c.Receivers) == 0 {
		root.Notef("", "there is no receiver: nothing will be taken in")
	}
	if len(c.Streams) == 0 && len(c.Receivers) > 0 {
		root.Notef("", "there is no stream: messages are stored for store.keep, and delivered nowhere")
	}
}

func (c *Config) receiverNames() (names []string) {
	for _, r := range c.Receivers {
		names = append(names, r.Name)
	}
	return names
}

func (c *Config) sinkNames() (names []string) {
	for _, s := range c.Sinks {
		names = append(names, s.Name)
	}
	return names
}

// crossPaths finds two writers of one file.
func (c *Config) crossPaths(t *top) {
	writers := map[string]string{inDir(c.DataDir, blockstore.FileName): "the block store"}
	if c.DeadLetters.Path != "" {
		writers[inDir(c.DataDir, c.DeadLetters.Path)] = "[dead_letters]"
	}
	each(t.Sink, func(sub *conf.Table) {
		for _, s := range c.Sinks {
			f, ok := s.Config.(*file.Config)
			if !ok || s.Name != sub.Name() || f.Path == "" {
				continue
			}
			path := inDir(c.DataDir, f.Path)
			if other, taken := writers[path]; taken {
				sub.Errorf("path", "path: %s is written by %s already; a file has one writer", path, other)
			}
			writers[path] = "[" + sub.Title() + "]"
		}
	})
}

func inDir(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// noteTopics says when a stream asks for topics that none of its receivers brings. What rows of other streams bring is their topics.
func (c *Config) noteTopics(sub *conf.Table, s Stream) {
	brought := c.given(s)
	for _, r := range c.Receivers {
		if slices.Contains(s.From, r.Name) && r.Config != nil {
			brought = append(brought, r.Config.Covers()...)
		}
	}
	for _, f := range s.Topics {
		if len(brought) > 0 && topic.CheckFilter(f) == nil && !slices.ContainsFunc(brought, func(b string) bool { return topic.Overlap(b, f) }) {
			sub.Notef("topics", "stream %s asks for %s, and what it takes from brings only %v: it will get nothing of it", s.Name, f, brought)
		}
	}
}

// noteBlocking says what when_full = "block" means for a stream with several sinks: the one that is away stops the others
// in the end.
func (c *Config) noteBlocking(sub *conf.Table, s Stream) {
	names := s.Sinks
	if s.Late != "" && !slices.Contains(names, s.Late) {
		names = append(slices.Clone(names), s.Late)
	}
	if len(names) < 2 {
		return
	}
	for _, k := range c.Sinks {
		if !slices.Contains(names, k.Name) || k.Common == nil || k.Common.WhenFull != "block" {
			continue
		}
		if _, local := k.Config.(*file.Config); local {
			continue
		}
		max := k.Common.MaxPending.Or(int64(c.Store.MaxBytes) / 2)
		rate, of := c.rateOf(s)
		days := float64(max) / (rate * bytesPerMessage) / 86400
		sub.Notef("sinks", "stream %s: if sink %s is away until it holds back %v (%s at %s), intake stops for all sinks of the stream (when_full = \"block\"); set when_full = \"drop_oldest\" on it to let the others go on",
			s.Name, k.Name, conf.Size(max), span(days), of)
	}
}

// bytesPerMessage is what a small reading takes in the log, about.
const bytesPerMessage = 120

func (c *Config) rateOf(s Stream) (perSecond float64, of string) {
	from := c.Sources(s.Name)
	for _, r := range c.Receivers {
		if slices.Contains(from, r.Name) && r.Common != nil && r.Common.MaxRate > 0 {
			perSecond += float64(r.Common.MaxRate)
		}
	}
	if perSecond > 0 {
		return perSecond, "max_rate"
	}
	return 50, "50 small messages a second"
}

func span(days float64) string {
	if days >= 2 {
		return fmt.Sprintf("%.0f days", days)
	}
	if days >= 1.0/12 {
		return fmt.Sprintf("%.0f hours", days*24)
	}
	return fmt.Sprintf("%.0f minutes", days*24*60)
}
