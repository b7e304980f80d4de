package gpio

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"edged/internal/conf"
)

func replayFile(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "values.csv")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// reference is the [gpio] of the configuration reference.
const reference = `[gpio]
driver = "sim"
publish_to = "embedded"
topic = "site/local/gpio/{name}"
qos = 1
[gpio.pin.door]
line = "GPIO17"
direction = "in"
pull = "up"
edge = "both"
debounce = "20ms"
invert = false
retain = false
wave = { kind = "square", period = "2s" }
`

func TestLoadTheReference(t *testing.T) {
	c := parse(t, reference)
	p := c.Pins[0]
	if len(c.Pins) != 1 || c.Driver != "sim" || c.topicOf(p) != "site/local/gpio/door" || c.QoS != 1 {
		t.Errorf("%+v", c)
	}
	if p.Name != "door" || p.Line != "GPIO17" || p.Pull != "up" || p.Edge != "both" || p.Debounce.D() != 20*time.Millisecond || !p.Wave.Digital() {
		t.Errorf("%+v", p)
	}
}

func TestLoadWithoutATableGivesTheDefaults(t *testing.T) {
	if c := Load(nil, ""); c.Driver != "periph" || c.PublishTo != Embedded || len(c.Pins) != 0 {
		t.Errorf("%+v", c)
	}
}

// load returns the mistakes and the notes, each as line: message.
func load(text string) (problems, notes []string) {
	d := conf.Parse("f", []byte(text))
	Load(d.Root().Sub("gpio"), "")
	for _, p := range d.Problems() {
		problems = append(problems, strings.TrimPrefix(p.String(), "f:"))
	}
	for _, p := range d.Notes() {
		notes = append(notes, strings.TrimPrefix(p.String(), "f:"))
	}
	return problems, notes
}

func TestMistakesOfTheRoom(t *testing.T) {
	const pin = "\n[gpio.pin.a]\nline = \"GPIO1\"\nedge = \"both\"\n"
	for _, c := range []struct{ keys, want string }{
		{`driver = "simm"`, `2: driver: want "periph" or "sim", have "simm"; did you mean "sim"?`},
		{`qos = 3`, "2: qos: want 0, 1 or 2, have 3"},
		{`publish_to = "udp://x:1"`, `2: publish_to: want "embedded", "tcp://HOST:PORT" or "tls://HOST:PORT", have "udp://x:1"`},
		{`publish_to = "tcp://broker.local"`, `2: publish_to: want "embedded", "tcp://HOST:PORT" or "tls://HOST:PORT", have "tcp://broker.local"`},
		{`publish_to = "tcp://broker.local:1883/x"`, `2: publish_to: want "embedded", "tcp://HOST:PORT" or "tls://HOST:PORT", have "tcp://broker.local:1883/x"`},
		{`publish_to = "tcp://me:secret@broker.local:1883"`, "2: publish_to: no user or password in the address; use username and password_file"},
		{"publish_to = \"tcp://broker.local:1883\"\npassword_file = \"p\"", "3: password_file needs username"},
		{"publish_to = \"tcp://broker.local:1883\"\ntls = { ca = \"c\" }", `3: tls belongs to a tls:// address, and publish_to is "tcp://broker.local:1883"`},
		{"publish_to = \"tls://broker.local:8883\"\ntls = { cert = \"c\" }", "3: tls: cert and key belong together"},
		{`username = "me"`, "2: username belongs to an external broker: set publish_to, or remove it"},
		{`topic = ""`, "2: topic: it is empty [MQTT-4.7.3-1]"},
		{`topic = "site/+/{name}"`, "2: topic: a topic name has no wildcards (+ and #)"},
		{`topic = "site/{nmae}"`, `2: topic: "site/{nmae}" has braces that are neither {name} nor {line}`},
		{`topic = "$SYS/{name}"`, "2: topic: names that begin with $ are the broker's own [MQTT-4.7.2-1]"},
		{`topics = "x"`, `2: unknown key "topics" in [gpio]; did you mean "topic"?`},
		{`pin = 3`, ""}, // replaced below
	} {
		text, want := "[gpio]\n"+c.keys+pin, c.want
		if c.keys == `pin = 3` {
			text, want = "[gpio]\npin = 3\n", "2: pin is a table: write [gpio.pin]"
		}
		if got, _ := load(text); !slices.Equal(got, []string{want}) {
			t.Errorf("%s:\n%q, want\n%q", c.keys, got, want)
		}
	}
}

func TestMistakesOfAPin(t *testing.T) {
	const needs = `3: [gpio.pin.a] needs edge = "both" to report changes, or interval = "1s" to sample`
	for _, c := range []struct {
		driver, keys string
		want         []string
	}{
		{"periph", `line = "GPIO1"`, []string{needs}},
		{"periph", `edge = "both"`, []string{`3: [gpio.pin.a] needs line, like "GPIO17"`}},
		{"periph", "line = \"GPIO1\"\nedge = \"up\"", []string{`5: edge: want "both", "rising" or "falling", have "up"`}},
		{"periph", "line = \"GPIO1\"\nedge = \"both\"\ninterval = \"1s\"", []string{"6: [gpio.pin.a] has edge and interval: give edge to report changes, or interval to sample"}},
		{"periph", "line = \"GPIO1\"\ninterval = \"1us\"", []string{"5: interval: want at least 1ms"}},
		{"periph", "line = \"GPIO1\"\ninterval = \"often\"", []string{`5: interval: "often" is not a duration; write "200ms", "10s", "5m", "24h" or "7d"`}},
		{"periph", "line = \"GPIO1\"\ninterval = \"1s\"\ndebounce = \"1ms\"", []string{"6: debounce belongs to edge: a sampled pin is read once at each interval"}},
		{"periph", "line = \"GPIO1\"\nedge = \"both\"\ndebounce = \"1m\"", []string{"6: debounce: want 0 to 10s"}},
		{"periph", "line = \"GPIO1\"\nedge = \"both\"\ndirection = \"out\"\npull = \"upp\"", []string{
			`6: direction: pins can only be read: want "in"`, `7: pull: want "up", "down" or "none", have "upp"; did you mean "up"?`}},
		{"sim", "", nil},
		{"sim", `wave = { kind = "sine" }`, []string{`3: [gpio.pin.a] needs interval = "1s" to sample its sine wave`}},
		{"sim", `wave = { kind = "counter" }`, []string{`3: [gpio.pin.a] needs interval = "1s" to sample its counter wave, or edge = "both" to report its changes`}},
		{"sim", "wave = { kind = \"noise\" }\nedge = \"both\"", []string{`5: edge: a noise wave has no edges; give interval = "1s" to sample it`}},
		{"sim", "wave = { kind = \"sine\" }\ninterval = \"1s\"\ninvert = true", []string{"6: invert: the wave has other values than 0 and 1"}},
		{"sim", `wave = { kind = "sinus" }`, []string{`4: kind: want "square", "sine", "noise", "counter" or "csv", have "sinus"; did you mean "sine"?`}},
		{"sim", `wave = { period = "1s" }`, []string{"4: [gpio.pin.a.wave] needs kind: \"square\", \"sine\", \"noise\", \"counter\" or \"csv\""}},
		{"sim", `wave = { kind = "csv" }`, []string{"4: a csv wave needs file, the file to replay"}},
		{"sim", `wave = { kind = "square", step = 1 }`, []string{`4: unknown key "step" in [gpio.pin.a.wave]`}},
		{"sim", `wave = "square"`, []string{"4: wave is a table: write [gpio.pin.a.wave]"}},
	} {
		if got, _ := load("[gpio]\ndriver = \"" + c.driver + "\"\n[gpio.pin.a]\n" + c.keys + "\n"); !slices.Equal(got, c.want) {
			t.Errorf("%s, %s:\n%q, want\n%q", c.driver, c.keys, got, c.want)
		}
	}
}

func TestMistakesBetweenPins(t *testing.T) {
	got, _ := load(`[gpio]
driver = "sim"
[gpio.pin.a]
line = "GPIO1"
[gpio.pin.b]
line = "GPIO1"
[gpio.pin."c/d"]
[gpio.pin.""]
`)
	want := []string{
		`6: line: GPIO1 is already that of pin "a"`,
		`7: pin "c/d": a pin's name is one level of a topic, without / + #`,
		`8: pin "": a pin's name is one level of a topic, without / + #`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want\n%q", got, want)
	}
	if got, _ := load("[gpio]\ntopic = \"a/{line}\"\n[gpio.pin.x]\nline = \"#1\"\nedge = \"both\"\n"); len(got) != 1 || !strings.HasPrefix(got[0], `3: the topic of pin "x", "a/#1": `) {
		t.Errorf("%q", got)
	}
}

func TestNotes(t *testing.T) {
	if _, notes := load(strings.Replace(reference, `"sim"`, `"periph"`, 1)); !slices.Equal(notes, []string{`14: wave is ignored with driver = "periph"`}) {
		t.Errorf("%q", notes)
	}
	if problems, notes := load("[gpio]\n"); problems != nil || !slices.Equal(notes, []string{"1: [gpio] has no pins: write [gpio.pin.NAME] for each"}) {
		t.Errorf("%q, %q", problems, notes)
	}
}

// TestEveryKeyHasItsDoc: the reference is generated from the tags.
func TestEveryKeyHasItsDoc(t *testing.T) {
	for _, c := range []any{Default(), DefaultPin()} {
		for _, key := range conf.Describe(c) {
			if key.Doc == "" {
				t.Errorf("%T: %s has no doc", c, key.Key)
			}
		}
	}
}
