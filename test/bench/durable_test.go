package bench

import (
	"fmt"
	"testing"
	"time"

	"edged/test/harness"
)

const (
	turn   = 4 * time.Second // of a load at saturation
	longer = 5 * turn / 2    // of one that ends when its rows are in files, up to a second after the last acknowledgement
)

// durable measures what 50 connections get through, with QoS 1, in turns with what it is compared with.
func durable(t *testing.T) {
	var edged, acked, tail, cpuEdged, rss, bare, mosq, cpuMosq, moch, ceil []float64
	var noMochi error
	n := rounds(3)
	for i := range n {
		g := started(t, whole)
		p := g.press(t, full(longer)...)
		if got := g.lines(t, "raw.ndjson"); float64(got) != p.messages {
			t.Errorf("%.0f messages were acknowledged, and %d rows are in the raw file", p.messages, got)
		}
		if i == n-1 {
			counted(t, g, p.messages)
		}
		g.end()
		edged, acked, tail = append(edged, p.rate), append(acked, p.Rate), append(tail, p.tail)
		cpuEdged, rss = append(cpuEdged, p.cpu), append(rss, p.rss)

		if mosquittoPath() != "" {
			s := mosquitto(t)
			p, used := pressed(t, s, full(turn))
			s.end()
			mosq, cpuMosq = append(mosq, p.Rate), append(cpuMosq, used/float64(p.Acked)*1e6)
		}
		if s, err := mochi(t); err != nil {
			noMochi = err
		} else {
			p, _ := pressed(t, s, full(turn))
			s.end()
			moch = append(moch, p.Rate)
		}
		s := ceiling(t)
		c, _ := pressed(t, s, full(turn))
		s.end()
		ceil = append(ceil, c.Rate)

		g = started(t, intake)
		p = g.press(t, full(turn)...)
		g.end()
		bare = append(bare, p.Rate)
	}
	mine := perSecond(median(edged))
	against(t, "durable-mosquitto", mine, edged, mosquittoVersion, mosq, noMosquitto,
		fmt.Sprintf("%d turns, edged for %v and the others for %v; edged acknowledged %s, and held everything %.1f s after the last acknowledgement", n, lasting(longer), lasting(turn), perSecond(median(acked)), median(tail)))
	against(t, "durable-mochi", mine, edged, func() string { return mochiVersion }, moch, fmt.Sprint(noMochi))
	against(t, "durable-ceiling", mine, edged, func() string { return "mqttload rawsrv -log" }, ceil, "")
	against(t, "intake-ceiling", perSecond(median(bare)), bare, func() string { return "mqttload rawsrv -log" }, ceil, "", "until the last acknowledgement")
	c := measured{figure: median(cpuEdged), edged: fmt.Sprintf("%.2f CPU s", median(cpuEdged)), notes: []string{"utime and stime of the process, the broker's share included"}}
	if len(cpuMosq) > 0 {
		c.partner, c.ratio = fmt.Sprintf("%s %.2f CPU s, the broker alone", mosquittoVersion(), median(cpuMosq)), median(ratios(cpuEdged, cpuMosq))
	}
	sitting.say(t, "cpu-saturated", c)
	sitting.say(t, "rss-saturated", measured{figure: median(rss) / (1 << 20), edged: mib(median(rss)), notes: []string{"the most of each turn, sampled 20 times a second; the median of the turns"}})
}

// against notes a ratio of two rates.
func against(t *testing.T, key, mine string, edged []float64, partner func() string, other []float64, missing string, notes ...string) {
	if len(other) == 0 {
		sitting.say(t, key, measured{edged: mine, missing: missing})
		return
	}
	r := ratios(edged, other)
	sitting.say(t, key, measured{figure: median(r), edged: mine, partner: partner() + " " + perSecond(median(other)), ratio: median(r),
		notes: append(notes, fmt.Sprintf("the turns' ratios: %.3g", r))})
}

// counted waits until the windows are closed, and checks that they have counted every message once.
func counted(t *testing.T, g *gateway, messages float64) {
	t.Helper()
	var sum float64
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end) && sum < messages; time.Sleep(200 * time.Millisecond) {
		sum = 0
		for _, row := range g.Rows("aggregates.ndjson") {
			v, _ := row["n"].(float64)
			sum += v
		}
	}
	if sum != messages {
		t.Errorf("%.0f messages were acknowledged, and the windows have counted %.0f", messages, sum)
	}
}

// one measures a single connection with 100 messages in flight.
func one(t *testing.T) {
	args := func(d time.Duration) []any { return []any{"-n", 1, "-w", 100, "-qos", 1, "-d", lasting(d)} }
	var edged, acked, ceil []float64
	for range rounds(3) {
		g := started(t, whole)
		p := g.press(t, args(10*time.Second)...)
		g.end()
		edged, acked = append(edged, p.rate), append(acked, p.Rate)
		s := ceiling(t)
		c, _ := pressed(t, s, args(turn))
		s.end()
		ceil = append(ceil, c.Rate)
	}
	against(t, "one-ceiling", perSecond(median(edged)), edged, func() string { return "mqttload rawsrv -log" }, ceil, "", "the whole pipeline, default settings, the burst not spent before",
		fmt.Sprintf("edged for %v and the ceiling for %v; edged acknowledged %s", lasting(10*time.Second), lasting(turn), perSecond(median(acked))))
}

// qos0 measures what arrives of messages that nobody acknowledges.
func qos0(t *testing.T) {
	count := 6_000_000
	if short() {
		count /= 5
	}
	args := []any{"-n", 50, "-qos", 0, "-m", count} // socket buffers take more than a second of it: a time would not bound it
	if mosquittoPath() == "" {
		sitting.say(t, "qos0-mosquitto", measured{missing: noMosquitto})
		return
	}
	var edged, mosq, share []float64
	for range rounds(3) {
		g := started(t, whole)
		p := g.press(t, args...)
		if got := g.lines(t, "raw.ndjson"); float64(got) != p.messages {
			t.Errorf("%.0f messages arrived, and %d rows are in the raw file", p.messages, got)
		}
		g.end()
		edged, share = append(edged, p.rate), append(share, p.messages/float64(p.Sent))
		s := mosquitto(t)
		c, _ := pressed(t, s, args)
		got := received(t, s)
		s.end()
		mosq = append(mosq, got/c.Seconds)
	}
	against(t, "qos0-mosquitto", perSecond(median(edged)), edged, mosquittoVersion, mosq, noMosquitto,
		fmt.Sprintf("edged: rows in the raw file, %.1f %% of what was sent; Mosquitto: its counter $SYS/broker/publish/messages/received, until it had answered a PINGREQ behind the last message", 100*median(share)))
}

// received is what Mosquitto's counter of publishes says when it stands still.
func received(t *testing.T, s *server) float64 {
	t.Helper()
	last, same := -1.0, 0
	harness.Until(t, 20*time.Second, "Mosquitto's counter stands still", func() bool {
		v := counter(t, s.addr, "$SYS/broker/publish/messages/received")
		if v == last {
			same++
		} else {
			last, same = v, 0
		}
		time.Sleep(600 * time.Millisecond)
		return same >= 2 && v > 0
	})
	return last
}
