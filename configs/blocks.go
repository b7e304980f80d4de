package configs

import "edged/receiver"

// Blocks is the [block] table as the generators get it. A commit cuts every open block, and nobody sees a block before its commit: an interval that is no longer
// than the commits' would only make several small entries of what could be one. It is then left to the commits, and so much longer than their interval
// that the timer cuts only when the store takes too long.
func (c *Config) Blocks() receiver.Block {
	b := *c.Block
	if b.Interval <= c.Store.CommitInterval {
		b.Interval = c.Store.CommitInterval * 5 / 4
	}
	return b
}
