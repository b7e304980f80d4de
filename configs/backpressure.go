package configs

import "edged/internal/conf"

// noteBackpressure says when batches are so short that the wait for a commit makes them look slow: their results are committed with what else is.
func (c *Config) noteBackpressure(sub *conf.Table) {
	for _, r := range c.Receivers {
		if r.Name != sub.Name() || r.Common == nil || !r.Common.Backpressure || c.Batch.Interval > c.Store.CommitInterval {
			continue
		}
		sub.Notef("backpressure", "receiver %s: batch.interval (%v) is not longer than store.commit_interval (%v): a batch whose results wait for a commit counts as slow, and slows the receiver although nothing is too much; make batches longer",
			r.Name, c.Batch.Interval, c.Store.CommitInterval)
	}
}
