package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"edged/test/need"
)

// job is what js/client.js is told to do, and said what it says of it.
type job struct {
	Name     string `json:"name"`
	Do       string `json:"do"`
	URL      string `json:"url"`
	Version  int    `json:"version"`
	User     string `json:"user"`
	Password string `json:"password"`
	CA       string `json:"ca,omitempty"`
	Filter   string `json:"filter"`
	Messages []item `json:"messages"`
}

type item struct {
	Topic       string              `json:"topic"`
	Payload     []byte              `json:"payload"`
	QoS         byte                `json:"qos"`
	Correlation []byte              `json:"correlation"`
	Response    string              `json:"response"`
	User        map[string][]string `json:"user"`
}

type said struct {
	Name, What, Error string
	Acked, Granted    int
	Present           bool
	Refusals          []string
	Got               []item
}

func (s said) messages() (out []message) {
	for _, i := range s.Got {
		out = append(out, message{i.Topic, string(i.Payload), i.QoS})
	}
	return out
}

func items(in []message) (out []item) {
	for _, m := range in {
		out = append(out, item{Topic: m.topic, Payload: []byte(m.payload), QoS: m.qos})
	}
	return out
}

// js is a job over a transport.
func (g *gateway) js(scheme string, version int, do string) job {
	j := job{Name: fmt.Sprintf("js-%s-%d-%s", do, version, scheme), Do: do, Version: version, User: device, Password: password(device)}
	switch scheme {
	case "unix":
		j.URL = "mqtt+unix://" + g.socket
	case "tls":
		j.URL = "mqtts://" + g.addr(scheme)
	case "tcp":
		j.URL = "mqtt://" + g.addr(scheme)
	default:
		j.URL = scheme + "://" + g.addr(scheme) + "/mqtt"
	}
	if scheme == "tls" || scheme == "wss" {
		j.CA = g.certs.file("ca.crt")
	}
	return j
}

// node runs jobs, all at once, and returns what was said of each.
func node(t testing.TB, jobs []job) map[string]said {
	t.Helper()
	bin := need.Tool(t, "node")
	if _, err := os.Stat("js/node_modules/mqtt/package.json"); err != nil {
		need.Missing(t, "MQTT.js is not installed (make test-deps)")
	}
	in, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	var out, problems bytes.Buffer
	cmd := exec.Command(bin, "js/client.js")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("node: %v\n%s", err, problems.String())
	}
	got := map[string]said{}
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var s said
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("node printed %.300q: %v", line, err)
		}
		got[s.Name] = s
	}
	for _, j := range jobs {
		if got[j.Name].What != j.Do {
			t.Fatalf("%s: %s\n%s", j.Name, got[j.Name].Error, problems.String())
		}
	}
	return got
}

func TestMQTTJSOverEveryTransport(t *testing.T) {
	t.Parallel()
	g := start(t)
	var jobs []job
	want := map[string][]message{}
	for _, scheme := range []string{"tcp", "tls", "ws", "wss", "unix"} {
		for _, version := range []int{4, 5} {
			j := g.js(scheme, version, "echo")
			topic := "site/" + j.Name
			want[j.Name] = samples(topic)
			j.Filter, j.Messages = topic+"/#", items(want[j.Name])
			jobs = append(jobs, j)
		}
	}
	got := node(t, jobs)
	for _, j := range jobs {
		s := got[j.Name]
		g.published(want[j.Name][:s.Acked]...)
		if err := same(want[j.Name], s.messages()); err != nil || s.Granted != 2 {
			t.Errorf("%s: %v; the subscription was granted %d", j.Name, err, s.Granted)
		}
		for _, i := range s.Got {
			if j.Version == 5 && (string(i.Correlation) != "\x00\x01\xff" || i.Response != "other/answer" || !reflect.DeepEqual(i.User, map[string][]string{"unit": {"°C", "K"}})) {
				t.Errorf("%s: %s came with %+v", j.Name, i.Topic, i)
			}
		}
	}
	g.settle()
}

// Sessions, wills and refusals, with both versions and over the transports of browsers too.
func TestMQTTJSSessionsWillsAndRefusals(t *testing.T) {
	t.Parallel()
	g := start(t)
	var jobs []job
	want := map[string][]message{}
	for _, scheme := range []string{"tcp", "wss"} {
		for _, version := range []int{4, 5} {
			for _, do := range []string{"away", "will"} {
				j := g.js(scheme, version, do)
				j.Filter = "site/" + j.Name
				for i := range 6 {
					want[j.Name] = append(want[j.Name], message{j.Filter, fmt.Sprint(i), 2})
				}
				if do == "will" {
					want[j.Name] = want[j.Name][:1]
				}
				j.Messages = items(want[j.Name])
				jobs = append(jobs, j)
			}
			wrong := g.js(scheme, version, "refused")
			wrong.Name, wrong.Password = wrong.Name+"-login", "wrong"
			forbidden := g.js(scheme, version, "refused")
			forbidden.Filter, forbidden.Messages = "site/secret/#", items([]message{{"site/secret/a", "x", 1}})
			jobs = append(jobs, wrong)
			if version == 5 { // 3.1.1 is disconnected
				jobs = append(jobs, forbidden)
			}
		}
	}
	got := node(t, jobs)
	login := map[int]string{4: "4 Connection refused: Bad username or password", 5: "134 Connection refused: Bad User Name or Password"}
	forbidden := []string{"135 Publish error: Not authorized", "0 Subscribe error: Not authorized"}
	for _, j := range jobs {
		s := got[j.Name]
		switch {
		case j.Password == "wrong":
			if !slices.Equal(s.Refusals, []string{login[j.Version]}) {
				t.Errorf("%s: a wrong password is answered with %q", j.Name, s.Refusals)
			}
		case j.Do == "refused":
			if !slices.Equal(s.Refusals, forbidden) {
				t.Errorf("%s: publish and subscription are answered with %q", j.Name, s.Refusals)
			}
		default:
			g.published(want[j.Name][:s.Acked]...)
			if err := same(want[j.Name], s.messages()); err != nil || j.Do == "away" && !s.Present {
				t.Errorf("%s: %v; session present: %v", j.Name, err, s.Present)
			}
		}
	}
	g.settle()
}

// The lock file has versions and hashes, and no addresses: whoever installs has a registry of their own.
func TestTheLockFileNamesNoRegistry(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("js/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(`"resolved"`)) || !bytes.Contains(text, []byte(`"integrity"`)) {
		t.Error("js/package-lock.json was not written with omit-lockfile-registry-resolved (js/.npmrc)")
	}
}
