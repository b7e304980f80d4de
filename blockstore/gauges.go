package blockstore

import "github.com/VictoriaMetrics/metrics"

func (s *Store) registerGauges(set *metrics.Set) {
	set.NewGauge("edged_store_used_bytes", func() float64 { return float64(s.Space().Used) })
	set.NewGauge("edged_store_file_bytes", func() float64 { return float64(s.Space().File) })
	set.NewGauge("edged_store_room_bytes", func() float64 { return float64(s.Space().Room) })
	set.NewGauge("edged_store_disk_free_bytes", func() float64 { return float64(s.Space().DiskFree) })
	set.NewGauge("edged_store_write_budget_bytes", func() float64 { return float64(s.Budget().Left) })
	set.NewGauge("edged_store_written_per_stored_byte", func() float64 { return s.Wear().PerStored })
	set.NewGauge("edged_store_written_per_stored_byte_lately", func() float64 { return s.Wear().Lately.PerStored })
	set.NewGauge("edged_store_commits_per_second_lately", func() float64 { return s.Wear().Lately.CommitsPerSecond })
	set.NewGauge("edged_store_written_bytes_per_day", func() float64 { return s.Wear().Lately.BytesPerDay })
	set.NewGauge("edged_store_log_end", func() float64 { return float64(s.End()) })
}
