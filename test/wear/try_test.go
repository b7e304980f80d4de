package wear

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func cfg(dir, store string, raws, wins int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "data_dir = %q\n[http]\nlisten = \"\"\n[broker]\nlisten = [\"tcp://127.0.0.1:1883\"]\n[store]\nwrite_burst = \"1MiB\"\n%s\n[receiver.field]\ntype = \"mqtt\"\ntopics = [\"site/#\"]\n", dir, store)
	for i := range raws {
		fmt.Fprintf(&b, "[stream.raw%d]\nfrom = [\"field\"]\ntopics = [\"site/#\"]\nsinks = [\"a%d\"]\n[sink.a%d]\ntype = \"http\"\nurl = \"http://127.0.0.1:9/\"\n", i, i, i)
	}
	for i := range wins {
		fmt.Fprintf(&b, "[stream.win%d]\nfrom = [\"field\"]\ntopics = [\"site/#\"]\ngroup_by = { device = \"topic[1]\", pin = \"topic[3]\" }\nwindow = \"tumbling 10s\"\naggregate = { n = \"count()\", mean = \"avg(value)\", min = \"min(value)\", max = \"max(value)\" }\nsinks = [\"w%d\"]\n[sink.w%d]\ntype = \"file\"\npath = \"w%d.ndjson\"\n", i, i, i, i)
	}
	return b.String()
}

func pubs(n int, every time.Duration, bytes int) (out []Publisher) {
	for i := range n {
		out = append(out, Publisher{fmt.Sprintf("site/%d/gpio/%d", i/10, i%10), every, bytes})
	}
	return
}

func TestTry(t *testing.T) {
	cad := "write_budget = \"1kB/day\"\n"
	one := cad + "commit_interval = \"1s\"\n"
	eager := "commit = \"eager\"\n"
	fmt.Println("raws wins n every bytes mode c/s early B/commit written/s log/s used/s stored/s sinks/s wait")
	for _, k := range []struct {
		raws, wins  int
		n           int
		every       time.Duration
		bytes       int
		mode, store string
	}{
		{1, 0, 50, time.Second, 66, "cad", cad},
		{3, 0, 50, time.Second, 66, "cad", cad},
		{1, 0, 50, time.Second, 66, "one", one},
		{1, 0, 1, time.Second, 66, "cad", cad},
		{1, 0, 1, time.Second, 66, "eager", eager},
		{3, 0, 1, time.Second, 66, "eager", eager},
		{3, 0, 1, time.Second, 66, "cad", cad},
		{1, 0, 1, 10 * time.Second, 66, "cad", cad},
		{1, 0, 1, 10 * time.Second, 66, "eager", eager},
		{1, 0, 200, time.Second, 66, "cad", cad},
		{1, 0, 1000, time.Second, 66, "cad", cad},
		{1, 0, 20, time.Second, 30, "cad", cad},
		{1, 0, 10, time.Second, 1000, "cad", cad},
		{0, 1, 50, time.Second, 66, "cad", cad},
		{0, 3, 50, time.Second, 66, "cad", cad},
		{0, 1, 1, time.Second, 66, "eager", eager},
		{0, 1, 1, time.Second, 66, "cad", cad},
		{0, 1, 500, time.Second, 66, "cad", cad},
		{0, 1, 1000, 10 * time.Second, 66, "cad", cad},
		{0, 1, 3000, 10 * time.Second, 66, "cad", cad},
		{1, 1, 50, time.Second, 66, "cad", cad},
		{1, 1, 50, time.Second, 66, "def", ""},
		{1, 1, 50, time.Second, 66, "one", one},
		{1, 1, 8, time.Minute, 66, "def", ""},
		{1, 1, 10, 10 * time.Second, 66, "def", ""},
		{2, 2, 20, time.Second, 66, "def", ""},
	} {
		dir := t.TempDir()
		c := cfg(dir, k.store, k.raws, k.wins)
		w := Run(t, dir, Case{c, pubs(k.n, k.every, k.bytes), nil, 15 * time.Minute, 4 * time.Minute})
		dir = t.TempDir()
		var away []string
		for i := range 3 {
			away = append(away, fmt.Sprint("a", i), fmt.Sprint("w", i))
		}
		a := Run(t, dir, Case{cfg(dir, k.store, k.raws, k.wins), pubs(k.n, k.every, k.bytes), away, 11 * time.Minute, 4 * time.Minute})
		fmt.Printf("%d %d %d %v %d %s %.2f %.2f %.0f %.0f %.0f away %.0f %.0f %.0f %.0f %v\n", k.raws, k.wins, k.n, k.every, k.bytes, k.mode, w.Commits/w.Seconds, w.Early/w.Seconds, w.Written/w.Commits, w.Written/w.Seconds, w.Log/w.Seconds, a.Log/a.Seconds, a.Used/a.Seconds, w.Stored/w.Seconds, w.Sinks/w.Seconds, w.Waits.Round(time.Millisecond))
	}
}
