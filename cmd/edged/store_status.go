package main

import (
	"fmt"

	"edged/internal/daemon"
	"edged/internal/human"
)

// printStore says how full the store is, and what it writes.
func printStore(p func(string, ...any), s *daemon.Status) {
	p("store: %s", human.Of(s.Store.Used, s.Store.Max))
	if !s.Store.Trusted {
		p("; the clock is not synchronised")
	}
	p("\n")
	p("written to the card: %s since the start", human.Bytes(int64(s.Store.Written)))
	if lately := s.Store.Lately; lately.Seconds >= 60 {
		p("; %s a day at the rate of the last %v, with %.1f commits a second", human.Bytes(int64(lately.BytesPerDay)), lastly(lately.Seconds), lately.CommitsPerSecond)
		if lately.PerStored > 0 {
			p(" and %.1f bytes written for each byte of messages", lately.PerStored)
		}
	}
	p("\n")
	switch b := s.Store.Budget; {
	case b.Left == -1 && !b.Spent:
		p("early acknowledgements: without a budget\n")
	case b.Spent:
		p("early acknowledgements: the write budget of %s is spent; until some is saved up again, a message that comes alone is acknowledged within %v, those of publishers that wait with many at once\n", b.Rate, b.Cadence)
	default:
		p("early acknowledgements: %s are left of the write budget, which grows by %s\n", human.Bytes(b.Left), b.Rate)
	}
}

// lastly says how long the last figures cover, in minutes.
func lastly(seconds float64) string {
	if m := int(seconds / 60); m < 60 {
		return fmt.Sprintf("%d min", m)
	}
	return "hour"
}
