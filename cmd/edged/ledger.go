package main

import (
	"strings"

	"edged/internal/daemon"
	"edged/internal/human"
)

// printLedger writes the ledger's three equations.
func printLedger(p func(string, ...any), s *daemon.Status) {
	if len(s.Receivers) > 0 {
		p("\nreceiver\tstate\treceived = stored + rejected + in queue\tledger\n")
	}
	for _, r := range s.Receivers {
		state := r.Part.State
		if r.Link != nil && !r.Link.Connected && state == "running" {
			state = "not connected"
		}
		p("%s\t%s\t%s\t%s\n", r.Name, state, equation(int64(r.Received), int64(r.Stored), int64(r.Rejected), r.InQueue), balanced(r.Balanced))
	}
	printRates(p, s)
	if len(s.Streams) > 0 {
		p("\nstream\tstate\trouted = applied + filtered + dead + late + damaged + dropped + pending\tledger\n")
	}
	for _, r := range s.Streams {
		p("%s\t%s\t%s\t%s\n", r.Stream, r.Part.State,
			equation(int64(r.Routed), int64(r.Applied), int64(r.Filtered), int64(r.Dead), int64(r.Late), int64(r.Damaged), int64(r.Dropped), r.Pending), balanced(r.Balanced))
	}
	p("\nstream → sink\tstate\tproduced = delivered + dead + dropped + damaged + pending\theld back\tledger\n")
	for _, k := range s.Sinks {
		for _, r := range k.Deliveries {
			p("%s → %s\t%s\t%s\t%s\t%s\n", r.Stream, r.Sink, k.Health.State,
				equation(int64(r.Produced), int64(r.Delivered), int64(r.Dead), int64(r.Dropped), int64(r.Damaged), r.Pending), human.Bytes(r.PendingBytes), balanced(r.Balanced))
		}
	}
}

// equation writes a sum with its terms: 1,204 = 1,200 + 4.
func equation(sum int64, terms ...int64) string {
	var b strings.Builder
	b.WriteString(human.Count(sum))
	for i, n := range terms {
		b.WriteString([]string{" = ", " + "}[min(i, 1)])
		b.WriteString(human.Count(n))
	}
	return b.String()
}

func balanced(ok bool) string {
	if ok {
		return "balanced"
	}
	return "DOES NOT BALANCE"
}
