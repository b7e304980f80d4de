package sizing

// away is how many days of a sink's rows the gateway holds, which bound is reached then, and what happens; no bound if nothing comes. All bounds are in bytes of the store's file.
func (m *model) away(s *sink, w worn, a *Ask) (days float64, bound, then string) {
	pages, one := s.pages, s.most // of all deliveries, and of the one that holds most: max_pending is for each
	if s.blocks {
		pages, one = pages+w.held, max(one, w.held)
	}
	if pages == 0 {
		return 0, "", ""
	}
	store := m.c.Store
	most := float64(store.MaxBytes)
	room, bound := most-max(8<<20, most/50), "max_bytes"
	if left := float64(a.Free) - float64(store.ReserveFree.Or(200<<20)); a.Free >= 0 && left < room {
		room, bound = max(0, left), "disk"
	}
	seconds := room / pages
	lost := map[string]string{"drop_oldest": "its oldest rows are lost, and counted", "drop_newest": "its newest rows are lost, and counted"}[s.Common.WhenFull]
	if then = lost; lost == "" {
		then = "the store is full: nothing is acknowledged any more, for any stream"
	}
	if pending := float64(s.Common.MaxPending.Or(int64(most / 2))); pending/one < seconds {
		seconds, bound = pending/one, "max_pending"
		if lost == "" {
			then = "messages that it needs are not acknowledged any more"
		}
	}
	return seconds / perDay, bound, then
}
