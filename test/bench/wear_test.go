package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// wear measures what 50 sensors cost the card, each with a message a second, by the default settings and with a longer cadence. The gateways run side by side:
// bytes are counted, not times. It is a minute, since the state of the windows is saved every 30 seconds.
func wear(t *testing.T) {
	type result struct{ written, commits, stored float64 }
	d := lasting(time.Minute)
	measure := func(t *testing.T, config string) (r result) {
		g := started(t, config)
		defer g.end()
		g.spend(t)
		g.press(t, paced(50, 2*time.Second)...) // what was spent late is over
		read := func() result {
			return result{g.Metric("edged_store_written_bytes_total"), g.Metric("edged_store_commits_total"), g.Metric("edged_store_stored_bytes_total")}
		}
		before, began := read(), time.Now()
		publish(t, g.addr, g.PID(), "-n", 50, "-w", 100, "-qos", 1, "-rate", 50, "-spread", "-d", d)
		after, days := read(), time.Since(began).Hours()/24
		return result{(after.written - before.written) / days, (after.commits - before.commits) / time.Since(began).Seconds(), (after.stored - before.stored) / days}
	}
	windows := strings.Replace(whole, rawStream, "", 1)
	var results [3]result
	t.Run("side by side", func(t *testing.T) {
		for i, config := range []string{store(whole, burst), store(whole, burst+"commit_interval = \"1s\"\n"), store(windows, burst)} {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				results[i] = measure(t, config)
			})
		}
	})
	for i, key := range []string{"wear", "wear-1s"} {
		r := results[i]
		if r.written == 0 {
			continue
		}
		notes := []string{fmt.Sprintf("%v by the metric, as if it went on like this: %.2f commits a second, %.1f kB each, %.1f bytes for each of topics and payloads", d, r.commits, r.written/86400/max(r.commits, 0.01)/1e3, r.written/max(r.stored, 1))}
		if i == 0 {
			notes = append(notes, fmt.Sprintf("of a gateway with the windows only, without the raw file: %.2f GB", results[2].written/1e9))
		}
		sitting.say(t, key, measured{figure: r.written / 1e9, edged: fmt.Sprintf("%.2f GB", r.written/1e9), notes: notes})
	}
}
