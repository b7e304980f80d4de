package bench

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const steadyRate = 5000 // messages a second

// steady measures 5,000 messages a second with the default settings, when the write budget's burst is spent.
func steady(t *testing.T) {
	const d = 8 * time.Second
	var used, acks, written, early, mosq, ceil []float64
	for range rounds(2) {
		g := started(t, store(whole, burst))
		g.spend(t)
		w, s, e := g.Metric("edged_store_written_bytes_total"), g.Metric("edged_store_stored_bytes_total"), g.Metric("edged_store_early_commits_total")
		p := g.press(t, paced(steadyRate, d)...)
		w, s, e = g.Metric("edged_store_written_bytes_total")-w, g.Metric("edged_store_stored_bytes_total")-s, g.Metric("edged_store_early_commits_total")-e
		g.end()
		used, acks, written, early = append(used, p.cpu), append(acks, p.P99), append(written, w/s), append(early, e/p.Seconds)

		if mosquittoPath() != "" {
			m := mosquitto(t)
			p, c := pressed(t, m, paced(steadyRate, d/2))
			m.end()
			mosq = append(mosq, c/float64(p.Acked)*1e6)
		}
		c := ceiling(t)
		q, _ := pressed(t, c, paced(steadyRate, d/2))
		c.end()
		ceil = append(ceil, q.P99)
	}
	m := measured{figure: median(used), edged: fmt.Sprintf("%.1f CPU s", median(used)), notes: []string{"the whole pipeline, 50 connections, burst spent; until the raw rows and the windows hold everything"}}
	if len(mosq) > 0 {
		m.partner, m.ratio = fmt.Sprintf("%s %.1f CPU s, the broker alone", mosquittoVersion(), median(mosq)), median(ratios(used, mosq))
	}
	sitting.say(t, "cpu-5000", m)
	sitting.say(t, "ack-5000", measured{figure: median(acks), edged: fmt.Sprintf("%.0f ms", median(acks)), ratio: median(ratios(acks, ceil)),
		partner: fmt.Sprintf("mqttload rawsrv -log %.1f ms, which syncs as often as it can", median(ceil)),
		notes: []string{
			fmt.Sprintf("from the planned time of a message on; %.1f early commits a second", median(early)),
			"the burst is spent at once, because write_burst is 1MiB, the least there is, and not 384MB: the budget's rate, 2GB a day, is the default",
		}})
	sitting.say(t, "written-5000", measured{figure: median(written), edged: fmt.Sprintf("%.2f", median(written)),
		notes: append([]string{"by the metrics edged_store_written_bytes_total and edged_store_stored_bytes_total (topics and payloads)"}, traced(t)...)})
}

// traced holds the metric of bytes written against the system calls, at a low rate, because strace slows.
func traced(t *testing.T) (notes []string) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return []string{"strace is not installed (make test-deps): the metric was not checked against system calls"}
	}
	g := prepared(t, store(whole, burst))
	trace := filepath.Join(t.TempDir(), "trace")
	g.Wrap = []string{strace, "-f", "-qq", "-s", "0", "-o", trace, "-P", filepath.Join(g.Dir, "edged.db"), "-e", "trace=pwrite64"}
	g.Start()
	g.press(t, paced(1000, time.Second)...)
	counted, seen := g.Metric("edged_store_written_bytes_total"), writes(t, trace)
	g.press(t, paced(1000, 4*time.Second)...)
	counted, seen = g.Metric("edged_store_written_bytes_total")-counted, writes(t, trace)-seen
	g.end()
	return []string{fmt.Sprintf("for 4 s of 1,000 msg/s strace saw %.2f MB of pwrite64 on the store's file, and the metric said %.2f MB (%+.1f %%)", seen/1e6, counted/1e6, 100*(counted/seen-1))}
}
