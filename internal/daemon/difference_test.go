package daemon

import (
	"slices"
	"strings"
	"testing"

	"edged/configs"
)

const reloadable = `
data_dir = "DIR"
[http]
listen = "127.0.0.1:8080"
[broker]
[gpio]
driver = "sim"
[gpio.pin.door]
interval = "1s"
wave = { kind = "sine", period = "1s" }
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["archive"]
[stream.pins]
from = ["field"]
topics = ["site/#"]
window = "tumbling 2s"
aggregate = { n = "count()", mean = "avg(value)" }
sinks = ["windows", "screen"]
[sink.archive]
type = "file"
path = "raw.ndjson"
[sink.windows]
type = "file"
path = "windows.ndjson"
[sink.screen]
type = "console"
`

func load(t *testing.T, text string) *configs.Config {
	t.Helper()
	c, problems, _ := configs.Load("edged.toml", []byte(strings.Replace(text, "DIR", t.TempDir()[:4], 1)))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return c
}

func TestTheDifference(t *testing.T) {
	const rest = "unchanged: "
	for name, c := range map[string]struct {
		replace []string // old, new, …
		stopped string
		want    []string
	}{
		"nothing":                      {nil, "", []string{"nothing has changed", rest + "7"}},
		"a remark":                     {[]string{"[broker]", "# here\n[broker]", `path = "raw.ndjson"`, "path = \"raw.ndjson\" # x"}, "", []string{"nothing has changed", rest + "7"}},
		"order of keys":                {[]string{"from = [\"field\"]\ntopics = [\"site/#\"]\nwindow", "topics = [\"site/#\"]\nfrom = [\"field\"]\nwindow"}, "", []string{"nothing has changed", rest + "7"}},
		"order of columns":             {[]string{`n = "count()", mean = "avg(value)"`, `mean = "avg(value)", n = "count()"`}, "", []string{"stream pins: changed", "sink windows: restarted (stream pins)", "sink screen: restarted (stream pins)", rest + "4"}},
		"a stream":                     {[]string{"tumbling 2s", "tumbling 3s"}, "", []string{"stream pins: changed", "sink windows: restarted (stream pins)", "sink screen: restarted (stream pins)", rest + "4"}},
		"a stream's sinks":             {[]string{`"windows", "screen"`, `"windows"`}, "", []string{"stream pins: changed (its sinks)", "sink screen: changed (its streams)", rest + "5"}},
		"the sinks' order":             {[]string{`"windows", "screen"`, `"screen", "windows"`}, "", []string{"nothing has changed", rest + "7"}},
		"start":                        {[]string{"[stream.raw]", "[stream.raw]\nstart = \"now\""}, "", []string{"stream raw: changed (start)", rest + "6"}},
		"a receiver":                   {[]string{"[receiver.field]", "[receiver.field]\nmax_rate = \"5/s\""}, "", []string{"receiver field: changed", rest + "6"}},
		"late rows":                    {[]string{"tumbling 2s\"", "tumbling 2s\"\ntime = \"ts\"\nlate = \"archive\""}, "", []string{"stream pins: changed", "sink archive: changed (its streams)", "sink windows: restarted (stream pins)", "sink screen: restarted (stream pins)", rest + "3"}},
		"a sink's table":               {[]string{`path = "raw.ndjson"`, `path = "rows.ndjson"`}, "", []string{"sink archive: changed", rest + "6"}},
		"a new sink":                   {[]string{`"windows", "screen"`, `"windows", "screen", "x"`, "[sink.screen]", "[sink.x]\ntype = \"console\"\n[sink.screen]"}, "", []string{"stream pins: changed (its sinks)", "sink x: new", rest + "6"}},
		"a pin":                        {[]string{"period = \"1s\"", "period = \"2s\""}, "", []string{"gpio: changed", rest + "6"}},
		"no pins":                      {[]string{"[gpio]\ndriver = \"sim\"\n[gpio.pin.door]\ninterval = \"1s\"\nwave = { kind = \"sine\", period = \"1s\" }\n", ""}, "", []string{"gpio: removed", rest + "6"}},
		"dead letters":                 {[]string{"[broker]", "[broker]\n[dead_letters]\npath = \"d.ndjson\""}, "", []string{"dead_letters: changed", rest + "7"}},
		"the batches":                  {[]string{"[broker]", "[broker]\n[batch]\ninterval = \"2s\""}, "", []string{"stream raw: restarted (batch.interval)", "stream pins: restarted (batch.interval)", "sink archive: restarted (batch.interval)", "sink windows: restarted (batch.interval)", "sink screen: restarted (batch.interval)", "dead_letters: restarted (batch.interval)", rest + "2"}},
		"what has stopped":             {nil, "sink archive", []string{"sink archive: restarted (it had stopped)", rest + "6"}},
		"what belongs to nobody":       {[]string{"[broker]", "[log]\nlevel = \"debug\"\n[broker]", "data_dir", "memory_limit = \"64MiB\"\ndata_dir"}, "", []string{"log.level: debug", "memory_limit: 64MiB", rest + "7"}},
		"a stream that goes":           {[]string{"[stream.raw]\nfrom = [\"field\"]\ntopics = [\"site/#\"]\nsinks = [\"archive\"]\n", ""}, "", []string{"sink archive: changed (its streams)", "stream raw: removed; where it was is kept (edged store forget raw gives it up)", rest + "5"}},
		"a sink that goes":             {[]string{`"windows", "screen"`, `"windows"`, "[sink.screen]\ntype = \"console\"\n", ""}, "", []string{"stream pins: changed (its sinks)", "sink screen: removed; where it was is kept (edged store forget screen gives it up)", rest + "5"}},
		"a stream that takes from one": {[]string{"[sink.archive]", "[stream.sums]\nfrom = [\"pins\"]\nsinks = [\"archive\"]\n[sink.archive]"}, "", []string{"stream pins: restarted (streams that take from it)", "stream sums: new", "sink archive: changed (its streams)", "sink windows: restarted (stream pins)", "sink screen: restarted (stream pins)", rest + "3"}},
		"another receiver":             {[]string{"receiver.field", "receiver.f", `from = ["field"]`, `from = ["f"]`}, "", []string{"receiver f: new", "stream raw: changed", "stream pins: changed", "sink archive: restarted (stream raw)", "sink windows: restarted (stream pins)", "sink screen: restarted (stream pins)", "receiver field: removed", rest + "1"}},
	} {
		d := differ(load(t, reloadable), load(t, strings.NewReplacer(c.replace...).Replace(reloadable)), func(p partOf) bool { return p.String() == c.stopped })
		if got := d.lines(); !slices.Equal(got, c.want) || d.restart != nil {
			t.Errorf("%s:\n%s\n%q\nwant\n%s", name, strings.Join(got, "\n"), d.restart, strings.Join(c.want, "\n"))
		}
	}
}

func TestWhatOnlyARestartChanges(t *testing.T) {
	for change, want := range map[string][]string{
		"[broker]|[store]\nmax_bytes = \"100MiB\"\ncheckpoint_interval = \"1s\"\n[broker]": {"store.max_bytes", "store.checkpoint_interval"},
		"[broker]|[store]\nmax_bytes = \"1GiB\"\n[broker]":                                 nil, // the default, in other words
		"[broker]|[broker]\nlisten = [\"tcp://127.0.0.1:1884\"]\nmax_retained = 7":         {"broker.listen", "broker.max_retained"},
		"[broker]|[broker]\nmax_connections_per_address = 256":                             {"[broker]"}, // it applies to loopback now
		"[broker]|[block]\nqueue = 11\n[broker]":                                           {"block.queue"},
		"[broker]|[log]\nformat = \"json\"\n[broker]":                                      {"log.format"},
		"127.0.0.1:8080|127.0.0.1:8081":                                                    {"http.listen"},
		"driver = \"sim\"|driver = \"periph\"":                                             {"gpio.driver"},
		"[receiver.field]|[receiver.field]\nstorage = \"memory\"":                          {"receiver.field.storage"},
		"data_dir = \"DIR\"|data_dir = \"DIR/x\"":                                          {"data_dir"},
	} {
		old, next, _ := strings.Cut(change, "|")
		changed := strings.Replace(reloadable, old, next, 1)
		if want != nil && want[0] == "gpio.driver" {
			changed = strings.NewReplacer("driver = \"sim\"", "driver = \"periph\"", "interval = \"1s\"", "line = \"GPIO17\"\ninterval = \"1s\"").Replace(reloadable)
		}
		c, problems, _ := configs.Load("edged.toml", []byte(strings.Replace(changed, "DIR", t.TempDir()[:4], 1)))
		if len(problems) > 0 {
			t.Errorf("%s: %v", change, problems)
			continue
		}
		if got := differ(load(t, reloadable), c, func(partOf) bool { return false }).restart; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", change, got, want)
		}
	}
}
