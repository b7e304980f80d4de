package blockstore

import "edged"

// Numbers of log entries are never used again. What was damaged may have been the highest numbers of a log: then a new era
// begins, with numbers above all that could have been given. The number of an entry is era << EraShift + its count.

// floor is the lowest number that the log may go on with: next, or its count in a later era.
func (m *meta) floor(next uint64) uint64 {
	next = max(next, 1)
	if next>>edged.EraShift >= m.era {
		return next
	}
	return m.era<<edged.EraShift | edged.CountOf(next)
}
