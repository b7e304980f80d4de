package sizing

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edged/configs"
	"edged/test/wear"
)

func gatewayOf(dir, store string, raws, wins int, window string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "data_dir = %q\n[http]\nlisten = \"\"\n[broker]\nlisten = [\"tcp://127.0.0.1:1883\"]\n[store]\nwrite_burst = \"1MiB\"\n%s\n[receiver.field]\ntype = \"mqtt\"\ntopics = [\"site/#\"]\n", dir, store)
	for i := range raws {
		fmt.Fprintf(&b, "[stream.raw%d]\nfrom = [\"field\"]\ntopics = [\"site/#\"]\nsinks = [\"a%d\"]\n[sink.a%d]\ntype = \"http\"\nurl = \"http://127.0.0.1:9/\"\n", i, i, i)
	}
	for i := range wins {
		fmt.Fprintf(&b, "[stream.win%d]\nfrom = [\"field\"]\ntopics = [\"site/#\"]\ngroup_by = { device = \"topic[1]\", pin = \"topic[3]\" }\nwindow = %q\naggregate = { n = \"count()\", mean = \"avg(value)\", min = \"min(value)\", max = \"max(value)\" }\nsinks = [\"w%d\"]\n[sink.w%d]\ntype = \"file\"\npath = \"w%d.ndjson\"\n", i, window, i, i, i)
	}
	return b.String()
}

func publishers(n int, every time.Duration, bytes int) (out []wear.Publisher) {
	for i := range n {
		out = append(out, wear.Publisher{Topic: fmt.Sprintf("site/%d/gpio/%d", i/10, i%10), Every: every, Bytes: bytes})
	}
	return out
}

// grid is what was measured with edged_nosync in 15 minutes + 4.
func TestGrid(t *testing.T) {
	cad := "write_budget = \"1kB/day\"\n"
	stores := map[string]string{"cad": cad, "one": cad + "commit_interval = \"1s\"\n", "eager": "commit = \"eager\"\n", "def": ""}
	for _, line := range strings.Split(grid, "\n") {
		f := strings.Fields(line)
		if len(f) < 16 {
			continue
		}
		var raws, wins, n, bytes int
		var cs, early, perCommit, written, log, alog, aused, stored, sinks float64
		fmt.Sscan(f[0], &raws)
		fmt.Sscan(f[1], &wins)
		fmt.Sscan(f[2], &n)
		every, _ := time.ParseDuration(f[3])
		fmt.Sscan(f[4], &bytes)
		fmt.Sscan(strings.Join(f[6:11], " "), &cs, &early, &perCommit, &written, &log)
		fmt.Sscan(strings.Join(f[12:16], " "), &alog, &aused, &stored, &sinks)
		c, problems, _ := configs.Load("x", []byte(gatewayOf(t.TempDir(), stores[f[5]], raws, wins, "tumbling 10s")))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		m := newModel(c, []Flow{{Topic: "site/1/gpio/2", Topics: n, Rate: float64(n) / every.Seconds(), Bytes: bytes, Waits: true}}, 0.0001)
		cadence, fast := m.wears()
		share := m.share(fast)
		w := cadence.mix(fast, share)
		res := 0.0
		for _, k := range m.sinks {
			res += k.results
		}
		fmt.Printf("%d %d %4d %4v %4d %-5s  c/s %5.2f %5.2f  written %7.0f %7.0f %+4.0f%%  log %6.0f %6.0f  used %6.0f %6.0f %+4.0f%% res %5.0f sinks %5.0f f=%.2f\n", raws, wins, n, every, bytes, f[5], cs, w.commits, written, w.written, 100*(w.written/written-1),
			alog, w.logged, aused, w.held, 100*(w.held/aused-1), res, sinks, share)
	}
}
