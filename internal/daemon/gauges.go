package daemon

import (
	"fmt"

	"edged"
	"edged/batches"
	"edged/broker/remote"
)

// Metrics of what the parts show in their status. Each part has a set of its own, which goes with it.

func inputGauges(in *input) {
	label := fmt.Sprintf("{receiver=%q}", in.name)
	gauge := func(name string, f func() float64) { in.set.NewGauge(name+label, f) }
	gauge("edged_receiver_received_total", func() float64 { return float64(in.Generator.Status().Received) })
	gauge("edged_receiver_rejected_total", func() float64 { return float64(in.Generator.Status().Rejected) })
	gauge("edged_receiver_waiting_messages", func() float64 { return float64(in.Generator.Status().Waiting) })
	gauge("edged_receiver_waiting_bytes", func() float64 { return float64(in.Generator.Status().Bytes) })
	gauge("edged_receiver_rate_limit", in.Generator.RateLimit)
	gauge("edged_receiver_up", func() float64 { return count(in.up()) })
	gauge("edged_receiver_restarts_total", func() float64 { return float64(in.Part.State().Restarts) })
}

func (d *Daemon) streamGauges(s *stream) {
	label := fmt.Sprintf("{stream=%q}", s.Name())
	gauge := func(name string, f func() float64) { s.set.NewGauge(name+label, f) }
	gauge("edged_stream_routed_total", func() float64 { return float64(s.Status().Routed) })
	gauge("edged_stream_filtered_total", func() float64 { return float64(s.Status().Filtered) })
	gauge("edged_stream_dead_total", func() float64 { return float64(s.Status().Dead) })
	gauge("edged_stream_late_total", func() float64 { return float64(s.Status().Late) })
	gauge("edged_stream_applied_total", func() float64 { return float64(s.Status().Applied) })
	gauge("edged_stream_damaged_total", func() float64 { return float64(s.Status().Damaged) })
	gauge("edged_stream_dropped_total", func() float64 { return float64(s.Status().Dropped) })
	gauge("edged_stream_produced_total", func() float64 { return float64(s.Status().Produced) })
	gauge("edged_stream_pending_messages", func() float64 { return float64(s.Status().Pending) })
	gauge("edged_stream_blocked", func() float64 { return count(d.blocks(s.Name())) })
	gauge("edged_stream_groups", func() float64 { return float64(s.Status().Groups) })
}

// blocks reports whether intake of what a stream needs is stopped.
func (d *Daemon) blocks(stream string) bool {
	closed := d.gate.Blocked()
	return closed[stream] != "" || closed[edged.SideLog(stream, edged.Late)] != ""
}

// joinGauges are those of a stream with a join.
func joinGauges(s *stream) {
	label := fmt.Sprintf("{stream=%q}", s.Name())
	gauge := func(name string, f func(*batches.JoinStatus) float64) {
		s.set.NewGauge(name+label, func() float64 {
			j := s.Status().Join
			if j == nil { // it has not opened
				j = &batches.JoinStatus{}
			}
			return f(j)
		})
	}
	gauge("edged_stream_join_rows", func(j *batches.JoinStatus) float64 { return float64(j.Rows) })
	gauge("edged_stream_join_skipped_rows", func(j *batches.JoinStatus) float64 { return float64(j.Skipped) })
	gauge("edged_stream_join_dropped_total", func(j *batches.JoinStatus) float64 { return float64(j.Dropped) })
}

func sinkGauges(w *writer) {
	w.set.NewGauge(fmt.Sprintf("edged_sink_pending_bytes{sink=%q}", w.Name()), func() (sum float64) {
		deliveries, _ := w.Status()
		for _, del := range deliveries {
			sum += float64(del.PendingBytes)
		}
		return sum
	})
	w.set.NewGauge(fmt.Sprintf("edged_sink_up{sink=%q}", w.Name()), func() float64 {
		_, health := w.Status()
		return count(health.Problem == "")
	})
}

func count(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// up reports whether a receiver runs and has its connection, if it needs one.
func (in *input) up() bool {
	x, external := in.Receiver.(interface{ Link() remote.LinkStatus })
	return in.Part.State().State == "running" && (!external || x.Link().Connected)
}
