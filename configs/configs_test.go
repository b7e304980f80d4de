package configs

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"edged/broker/passwd"
	"edged/sinks/http"
	"edged/test/selfsigned"
)

func load(t *testing.T, text string) (*Config, []string, []string) {
	t.Helper()
	c, problems, notes := Load("f", []byte(strings.ReplaceAll(text, "{{dir}}", t.TempDir())))
	var ps, ns []string
	for _, p := range problems {
		ps = append(ps, p.String())
	}
	for _, n := range notes {
		ns = append(ns, n.String())
	}
	return c, ps, ns
}

// Every example that is shipped loads as it is, from the top of the repository.
func TestExamplesLoad(t *testing.T) {
	t.Chdir("..")
	files, err := filepath.Glob("configs/examples/*.toml")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		s := strings.NewReplacer("{{data_dir}}", t.TempDir(), "{{broker}}", "127.0.0.1:1883", "{{http}}", "127.0.0.1:8080",
			`data_dir = "/var/lib/edged"`, `data_dir = "`+t.TempDir()+`"`).Replace(string(text))
		s = strings.ReplaceAll(s, "/etc/edged/", networkFiles(t)+"/")
		if !strings.Contains(s, "data_dir =") {
			s = `data_dir = "` + t.TempDir() + `"` + "\n" + s
		}
		if _, problems, _ := Load(f, []byte(s)); len(problems) > 0 {
			t.Errorf("%s: %v", f, problems)
		}
	}
}

// networkFiles makes the files that network.toml names.
func networkFiles(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	line, err := passwd.Make("pump-house", "secret", 0)
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := selfsigned.New(time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"passwords": []byte(line + "\n"), "rules": []byte("pattern readwrite site/%u/#\nuser office\ntopic read site/#\n"), "fullchain.pem": cert, "privkey.pem": key,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// pump-house.toml says the defaults: what it writes out changes nothing.
func TestThePumpHouseSaysTheDefaults(t *testing.T) {
	text, err := os.ReadFile("examples/pump-house.toml")
	if err != nil {
		t.Fatal(err)
	}
	full, problems, _ := load(t, strings.Replace(string(text), "/var/lib/edged", "{{dir}}", 1))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	short, problems, _ := load(t, `
data_dir = "{{dir}}"
[broker]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
[stream.raw]
from = ["field"]
topics = ["site/#"]
sinks = ["archive"]
[stream.pins]
from = ["field"]
topics = ["site/+/gpio/+"]
where = "value > -40"
group_by = { device = "topic[1]", pin = "topic[3]" }
window = "tumbling 10s"
aggregate = { n = "count()", mean = "avg(value)", max = "max(value)" }
sinks = ["aggregates", "cloud"]
[sink.archive]
type = "file"
path = "raw.ndjson"
[sink.aggregates]
type = "file"
path = "aggregates.ndjson"
[sink.cloud]
type = "http"
url = "http://127.0.0.1:9000/ingest"
`)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	full.Broker.Dir = short.Broker.Dir
	for what, pair := range map[string][2]any{
		"log": {full.Log, short.Log}, "http": {full.HTTP, short.HTTP}, "broker": {full.Broker, short.Broker}, "block": {full.Block, short.Block},
		"store": {full.Store, short.Store}, "batch": {full.Batch, short.Batch}, "dead letters": {full.DeadLetters, short.DeadLetters},
		"receiver": {full.Receivers[0].Common, short.Receivers[0].Common}, "memory": {full.MemoryLimit, short.MemoryLimit},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: written out %+v, default %+v", what, pair[0], pair[1])
		}
	}
	for i := range full.Streams {
		if full.Streams[i].Plan.Definition != short.Streams[i].Plan.Definition {
			t.Errorf("stream %s: %s\n%s", full.Streams[i].Name, full.Streams[i].Plan.Definition, short.Streams[i].Plan.Definition)
		}
	}
	for i := range full.Sinks {
		a, b := full.Sinks[i], short.Sinks[i]
		if ha, ok := a.Config.(*http.Config); ok {
			ha.Headers, b.Config.(*http.Config).Headers = nil, nil
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("sink %s: %+v, default %+v", a.Name, a, b)
		}
	}
}

func TestCrossReferences(t *testing.T) {
	_, problems, _ := load(t, `
data_dir = "{{dir}}"
[broker]
listen = ["tcp://0.0.0.0:1883"]
[http]
listen = "0.0.0.0:8080"
[gpio]
publish_to = "embeded"
[receiver."bad name"]
type = "mqtt"
topics = ["a"]
[receiver.field]
type = "mqqt"
topics = ["site/#"]
[stream.a]
from = ["field"]
topics = ["site/#"]
sinks = ["one", "tow"]
[stream.dead_letters]
from = ["nobody"]
topics = ["site/#"]
sinks = ["one"]
[sink.one]
type = "file"
path = "x.ndjson"
[sink.two]
type = "file"
path = "x.ndjson"
when_full = "blok"
[sink.three]
type = "file"
path = "dead.ndjson"
[snik.four]
type = "console"
`)
	for _, want := range []string{
		"f:4: listen: other machines can reach tcp://0.0.0.0:1883",
		"f:6: listen: other machines can reach 0.0.0.0:8080",
		`f:8: publish_to`,
		`f:9: [receiver.bad name]: a name is made of`,
		`f:13: type: want "mqtt", `,
		`f:18: sinks: there is no [sink.tow]; did you mean "two"?`,
		`f:19: stream "dead_letters": the name is the gateway's own`,
		`f:20: from: there is no [receiver.nobody]`,
		`f:28: path: `,
		`f:29: when_full: want "block", "drop_oldest" or "drop_newest", have "blok"; did you mean "block"?`,
		`f:32: path: `,
		`f:33: unknown key "snik"; did you mean "sink"?`,
	} {
		found := false
		for _, p := range problems {
			found = found || strings.HasPrefix(p, want)
		}
		if !found {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() || len(problems) != 12 {
		t.Errorf("found:\n%s", strings.Join(problems, "\n"))
	}
}

func TestNotes(t *testing.T) {
	_, problems, notes := load(t, `
data_dir = "{{dir}}"
[broker]
[receiver.field]
type = "mqtt"
topics = ["site/#"]
storage = "memory"
[stream.a]
from = ["field"]
topics = ["other/#"]
sinks = ["one", "cloud"]
[sink.one]
type = "file"
path = "x.ndjson"
[sink.cloud]
type = "http"
url = "http://127.0.0.1:9/"
[sink.idle]
type = "console"
`)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, want := range []string{"outside the promise", "it will get nothing of it", "intake stops for all sinks", "sink idle gets nothing"} {
		if !strings.Contains(strings.Join(notes, "\n"), want) {
			t.Errorf("no note %q in\n%s", want, strings.Join(notes, "\n"))
		}
	}
}

// The reference in docs/ is what the code says.
func TestTheReferenceIsCurrent(t *testing.T) {
	text, err := os.ReadFile("../docs/configuration.md")
	if err != nil || string(text) != Reference() {
		t.Errorf("docs/configuration.md is not what the code says: make docs (%v)", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(Demo)
	f.Add("[stream.a]\naggregate = 3\n[sink]\nx = 1\n[receiver.r.s]\n")
	f.Fuzz(func(_ *testing.T, text string) { Load("f", []byte(text)) })
}

// A client on the same machine learns how to reach the gateway although it may read neither data nor secrets, and although
// other tables are wrong.
func TestLoadHTTPOpensNothing(t *testing.T) {
	h, dir, problems := LoadHTTP("f", []byte(`
data_dir = "/proc/nowhere"
[http]
listen = "0.0.0.0:8443"
token_file = "/proc/nowhere/token"
tls = { cert = "/proc/nowhere/cert", key = "/proc/nowhere/key" }
[broker]
listen = 7
[sink.cloud]
type = "no such"
`))
	if len(problems) > 0 || dir != "/proc/nowhere" || h.Listen != "0.0.0.0:8443" || h.TokenFile != "/proc/nowhere/token" || h.TLS.Cert != "/proc/nowhere/cert" {
		t.Errorf("%+v, %s, %v", h, dir, problems)
	}
	if _, _, problems := LoadHTTP("f", []byte("[http]\nlisten = \"x\"\n")); len(problems) != 1 {
		t.Errorf("%v", problems)
	}
}
