package configs

import "edged"

// Yields reports whether a cursor is of a delivery that may lose rows.
func (c *Config) Yields(cursor string) bool {
	for _, k := range c.Sinks {
		if k.Common == nil || k.Common.WhenFull == "block" {
			continue
		}
		for _, s := range k.Streams {
			if cursor == edged.DeliveryCursor(s, k.Name) || cursor == edged.DeliveryCursor(edged.SideLog(s, edged.Replay), k.Name) {
				return true
			}
		}
	}
	return false
}
