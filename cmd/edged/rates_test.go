package main

import (
	"strings"
	"testing"
	"time"

	"edged/internal/daemon"
	"edged/receiver"
)

// The first line of a receiver is the rate that holds.
func TestTheStatusShowsTheRates(t *testing.T) {
	s := daemon.Status{Receivers: []daemon.ReceiverStatus{
		{Name: "free"},
		{Name: "field", Rate: &receiver.Rate{Limit: 240, MaxRate: 2000, Estimates: []receiver.Estimate{
			{By: "sink cloud", Rate: 240.4, Messages: 49.9, Seconds: 0.2081234, Delay: 3.2},
			{By: "sink later", Messages: 1, Seconds: 1},
			{By: "stream raw", Rate: 1_250_000, Messages: 100, Seconds: 0.00008},
		}}},
		{Name: "bound", Rate: &receiver.Rate{Limit: 5, MaxRate: 5}},
	}}
	var b strings.Builder
	if err := printStatus(&b, &s, time.Now()); err != nil {
		t.Fatal(err)
	}
	want := `
receiver  at most      by          last batch
field     240/s        sink cloud  50 messages in 208ms, 3.2s late
          2,000/s      max_rate    
          1,250,000/s  stream raw  100 messages in 80µs
          -            sink later  1 message in 1s
bound     5/s          max_rate    
`
	if !strings.Contains(b.String(), want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
