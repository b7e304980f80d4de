package main

import (
	"strings"
	"testing"
	"time"

	"edged/batches"
	"edged/blockstore"
	"edged/broker/remote"
	"edged/gpio"
	"edged/internal/daemon"
	"edged/internal/supervise"
	"edged/sinks/delivery"
)

// What a person sees: the three equations with their terms, and the sentences; nothing that came from outside writes to the terminal.
func TestPrintStatus(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.Local)
	running := supervise.State{State: "running"}
	value := 1.0
	s := daemon.Status{
		Version: "1", State: "started", Started: now.Add(-26 * time.Hour),
		Store:     daemon.StoreStatus{Space: blockstore.Space{Used: 52_428_800, Max: 1 << 30}, Trusted: true, Wear: blockstore.Wear{Written: 26_000_000}, Budget: blockstore.Budget{Rate: "2GB/day", Left: 12_000_000}},
		Receivers: []daemon.ReceiverStatus{{Name: "field", Part: running, Received: 12345, Stored: 12340, Rejected: 3, InQueue: 2, Balanced: true}},
		Streams: []daemon.StreamStatus{{Part: running, Status: batches.Status{Stream: "raw", Routed: 12340, Balanced: true, Pending: 1,
			Counts: batches.Counts{Applied: 12000, Filtered: 300, Dead: 30, Late: 4, Damaged: 3, Dropped: 2}}}},
		Sinks: []daemon.SinkStatus{{Name: "cloud", Health: delivery.Health{State: "holding"}, Deliveries: []delivery.Status{{Stream: "raw", Sink: "cloud", Produced: 12000,
			Counts: delivery.Counts{Delivered: 10796}, Pending: 1204, PendingBytes: 3_100_000}}}},
		Pins:      []gpio.PinStatus{{Name: "door", Line: "GPIO17", State: "running", Value: &value, Seq: 5000, Readings: 4000, Dropped: 900}},
		Publisher: &daemon.PublisherStatus{Part: running, Link: remote.LinkStatus{Broker: "tcp://b:1883"}, Outbox: remote.Outbox{Taken: 4000, Published: 2000, Dropped: 1000, Waiting: 1000}},
		Problems:  []string{"sink cloud: 401 since 10:02, holding 1,204 messages (3.1 MB); check token_file"},
		Notes:     []string{"dead letters: 30 so far; the last: \x1b[2Jno JSON"},
	}
	var b strings.Builder
	if err := printStatus(&b, &s, now); err != nil {
		t.Fatal(err)
	}
	want := `edged 1: started, up since 2026-11-20 10:00
store: 50.0 MiB of 1 GiB
written to the card: 26 MB since the start
early acknowledgements: 12 MB are left of the write budget, which grows by 2GB/day

receiver  state    received = stored + rejected + in queue  ledger
field     running  12,345 = 12,340 + 3 + 2                  balanced

stream  state    routed = applied + filtered + dead + late + damaged + dropped + pending  ledger
raw     running  12,340 = 12,000 + 300 + 30 + 4 + 3 + 2 + 1                               balanced

stream → sink  state    produced = delivered + dead + dropped + damaged + pending  held back  ledger
raw → cloud    holding  12,000 = 10,796 + 0 + 0 + 0 + 1,204                        3.1 MB     DOES NOT BALANCE

pin   line    state    value  due = published + dropped + in queue
door  GPIO17  running  1      5,000 = 4,000 + 900 + 100

pins to       state          taken = acknowledged + dropped + waiting
tcp://b:1883  not connected  4,000 = 2,000 + 1,000 + 1,000

! sink cloud: 401 since 10:02, holding 1,204 messages (3.1 MB); check token_file

· "dead letters: 30 so far; the last: \x1b[2Jno JSON"
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
