package blockstore

import "github.com/VictoriaMetrics/metrics"

// Written is what the store has written to its file since it was opened, about, and in how many commits.
func (s *Store) Written() (bytes, commits uint64) { return s.meter.bytes.Get(), s.meter.commits.Get() }

func (s *Store) registerGauges(set *metrics.Set) {
	set.NewGauge("edged_store_used_bytes", func() float64 { return float64(s.Space().Used) })
	set.NewGauge("edged_store_file_bytes", func() float64 { return float64(s.Space().File) })
	set.NewGauge("edged_store_room_bytes", func() float64 { return float64(s.Space().Room) })
	set.NewGauge("edged_store_disk_free_bytes", func() float64 { return float64(s.Space().DiskFree) })
	set.NewGauge("edged_store_write_budget_bytes", func() float64 { return float64(s.BudgetLeft()) })
	set.NewGauge("edged_store_log_end", func() float64 { return float64(s.End()) })
}
