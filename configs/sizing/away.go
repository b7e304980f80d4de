package sizing

import "fmt"

// away is how many days of a sink's rows the gateway holds, which bound is reached then, and what happens.
//
// max_pending counts bytes of the logs; what they take of the file is pages. Small blocks take several times their bytes, so that the file can be full first.
func (m *model) away(s *sink, w worn, a *Ask) (days float64, bound, then string) {
	log, pages := s.results, s.pages
	if s.blocks {
		log, pages = log+w.logged, pages+w.held
	}
	if log == 0 || pages == 0 {
		return 0, "", ""
	}
	store := m.c.Store
	most := float64(store.MaxBytes)
	room, bound := most-max(8<<20, most/50), "max_bytes"
	if left := float64(a.Free) - float64(store.ReserveFree.Or(200<<20)); a.Free >= 0 && left < room {
		room, bound = max(0, left), "disk"
	}
	seconds := room / pages
	then = "the store is full: nothing is acknowledged any more, for any stream"
	if pending := float64(s.Common.MaxPending.Or(int64(most / 2))); pending/log < seconds {
		seconds, bound = pending/log, "max_pending"
		then = map[string]string{
			"block":       "messages that it needs are not acknowledged any more",
			"drop_oldest": "its oldest rows are lost, and counted",
			"drop_newest": "its newest rows are lost, and counted",
		}[s.Common.WhenFull]
	}
	return seconds / perDay, bound, then
}

// drops reports whether a sink is to lose rows rather than hold anything up.
func drops(s *sink) bool { return s.Common.WhenFull != "block" }

// pendingThatFits is the max_pending with which a sink that is away loses rows before the store is full, as the configuration writes it; "" if there is none.
func (m *model) pendingThatFits(s *sink, w worn) string {
	log, pages := s.results, s.pages
	if s.blocks {
		log, pages = log+w.logged, pages+w.held
	}
	if pages == 0 {
		return ""
	}
	const share = 0.4 // of the file, in pages
	if n := int64(share * float64(m.c.Store.MaxBytes) * log / pages); n >= 1<<20 {
		return fmt.Sprintf("%dMiB", n>>20)
	}
	return ""
}
