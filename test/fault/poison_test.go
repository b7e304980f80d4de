package fault

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// poisonConfig adds streams to the usual ones that do everything with a payload that can go wrong.
const poisonConfig = `
[dead_letters]
max_bytes = "2GiB" # the letters are large, and each is looked for
[stream.numbers]
from = ["field"]
topics = ["site/poison/#"]
decode = "number"
sinks = ["numbers"]
[stream.texts]
from = ["field"]
topics = ["site/poison/#"]
decode = "text"
select = { n = "len(value)", twice = "repeat(value, 5000)" }
sinks = ["texts"]
[stream.hungry]
from = ["field"]
topics = ["site/poison/#"]
select = { r = "repeat(name, n)", i = "list[99999999]", d = "1 / value", m = "int(value) % 0", s = "name + 1", j = "join(map(split(name, ''), name), name)", g = "1..n", l = "let x = fromJSON(name); x.y.z", u = "uniq(list)" }
sinks = ["hungry"]
[stream.loops]
from = ["field"]
topics = ["site/poison/#"]
where = "all(list, let x = #; all(list, x == #))"
sinks = ["loops"]
[stream.groups]
from = ["field"]
topics = ["site/poison/#"]
group_by = { name = "name" }
window = "tumbling 2s"
aggregate = { n = "count()", high = "max(n)", first = "first(list)", kinds = "distinct(value)", p = "p99(value)", sum = "sum(repeat(name, n))" }
max_groups = 5
sinks = ["groups"]
[sink.numbers]
type = "file"
path = "numbers.ndjson"
[sink.texts]
type = "file"
path = "texts.ndjson"
[sink.hungry]
type = "file"
path = "hungry.ndjson"
[sink.loops]
type = "file"
path = "loops.ndjson"
[sink.groups]
type = "file"
path = "groups.ndjson"
`

// poison is a payload, and which decoders can read it.
type poison struct {
	name, payload      string
	json, number, text bool
	tooLong            bool // for a group to hold: as its key, or for first(list)
	odd                bool // JSON that Go cannot read: not for the raw rows, which hold it as it came
}

func poisons() []poison {
	long := strings.Repeat("a", 256<<10)
	list := strings.Repeat("1,", 100_000) + "1"
	return []poison{
		{name: "words", payload: "hello", text: true},
		{name: "nothing", payload: "", text: true},
		{name: "half an object", payload: `{"value":`, text: true},
		{name: "10^6 levels", payload: strings.Repeat("[", 1_000_000), text: true},
		{name: "5·10^5 levels, closed", payload: strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000), text: true},
		{name: "250 levels", payload: strings.Repeat("[", 250) + strings.Repeat("]", 250), json: true, text: true},
		{name: "1e999", odd: true, payload: "1e999", json: true, number: true, text: true},
		{name: "1e999 in an object", odd: true, payload: `{"value":1e999,"n":-1e999}`, json: true, text: true},
		{name: "100,000 digits", odd: true, payload: strings.Repeat("9", 100_000), json: true, number: true, text: true},
		{name: "nan", payload: "nan", number: true, text: true},
		{name: "no UTF-8", payload: "{\"name\":\"\xff\xfe\xc0\x80\"}"},
		{name: "a zero", payload: `{"name":"\u0000","value":0,"n":0}`, json: true, text: true},
		{name: "half a pair", payload: `{"name":"\ud800"}`, json: true, text: true},
		{name: "256 KiB", payload: fmt.Sprintf(`{"name":%q,"n":1000000}`, long), json: true, text: true, tooLong: true},
		{name: "a short name, many times", payload: `{"name":"x","n":1e18}`, json: true, text: true},
		{name: "a long list", payload: `{"name":"list","list":[` + list + `],"value":0}`, json: true, text: true, tooLong: true},
		{name: "a list of names", payload: `{"name":["` + strings.Repeat("x", 70_000) + `"]}`, json: true, text: true, tooLong: true},
		{name: "wrong types", payload: `{"name":{"a":[true,null]},"value":"x","n":[],"list":7}`, json: true, text: true},
	}
}

// Payloads and expressions of every evil kind next to good ones: what cannot be read is a dead letter, what cannot be computed is null,
// what is one group too many is counted, and everything else goes on, all of it in 256 MiB.
func TestPoison(t *testing.T) {
	t.Parallel()
	e, alive := limited(t, strings.Replace(load.With(load.Config, "broker", `max_packet_size = "2MiB"`), `["site/#"]
sinks`, `["site/+/gpio/#"]
sinks`, 1)+poisonConfig, 4*small)
	e.Start()
	rounds, groups := 2, 20
	if all() {
		rounds, groups = 10, 500
	}
	evil := poisons()
	sent := 0
	publish := func(w *rawmqtt.Client, topic, payload string) {
		id := uint16(sent%60000 + 1)
		w.Publish(rawmqtt.Publish{Topic: "site/poison/" + topic, Payload: payload, QoS: 1, ID: id})
		w.Acks(0x40, id)
		sent++
	}
	run := load.Under(t, e, load.Plan{Rate: 1000, For: time.Duration(rounds) * 3 * time.Second}, func() {
		w, _ := rawmqtt.Login(t, fmt.Sprintf("127.0.0.1:%d", e.Broker), rawmqtt.Connect{ID: "poisoner"})
		for range rounds {
			for i, p := range evil {
				if p.odd {
					publish(w, fmt.Sprint("odd/", i), p.payload)
				} else {
					publish(w, fmt.Sprint("gpio/", i), p.payload)
				}
			}
			for i := range groups {
				publish(w, "gpio/group", fmt.Sprintf(`{"name":"g%d","n":%d,"value":1,"list":[1,1]}`, i, i%3))
			}
		}
	})
	status := e.AtRest(60 * time.Second)

	dead := e.Rows("dead.ndjson")
	v := load.Judge(t, e, run, "poison payloads and expressions", "raw.ndjson")
	v.Acked += int64(sent)
	count := func(reads func(poison) bool) (n int) {
		for _, p := range evil {
			if !reads(p) {
				n += rounds
			}
		}
		return n
	}
	unread := map[string]int{
		"raw": count(func(p poison) bool { return p.json }), "pins": count(func(p poison) bool { return p.json }), "hungry": count(func(p poison) bool { return p.json }),
		"loops": count(func(p poison) bool { return p.json }), "numbers": count(func(p poison) bool { return p.number }) + rounds*groups, "texts": count(func(p poison) bool { return p.text }),
		"groups": count(func(p poison) bool { return p.json && !p.tooLong }),
	}
	letters := map[string]int{}
	for _, d := range dead {
		letters[fmt.Sprint(d["stream"])]++
	}
	for _, s := range status.Streams {
		if int(s.Dead) != unread[s.Stream] || letters[s.Stream] != unread[s.Stream] {
			t.Errorf("stream %s: %d dead and %d dead letters, want %d", s.Stream, s.Dead, letters[s.Stream], unread[s.Stream])
		}
		switch {
		case s.Stream == "groups" && s.Dropped == 0:
			t.Error("no group was one too many")
		case s.Stream != "groups" && s.Dropped != 0:
			t.Errorf("stream %s: %d dropped", s.Stream, s.Dropped)
		case s.Part.Restarts > 0:
			t.Errorf("stream %s was restarted: %s", s.Stream, s.Part.LastErr)
		}
	}
	if n := strings.Count(e.Log(), "there are max_groups groups"); n != 1 {
		t.Errorf("too many groups were logged %d times", n)
	}
	rows := poisonRows(e)
	toRaw := sent - count(func(p poison) bool { return !p.odd })
	v.Lost += lost(toRaw, rows, letters["raw"])
	v.Expected = fmt.Sprintf("%d poison messages: %d read, %d dead letters; %d rows dropped by max_groups; %s", sent, rows, letters["raw"], dropped(e, "groups"), alive())
	v.Holds(t)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
	wantGroups(t, e)

	if err := e.Stop(); err != nil { // and none of it is in the way of a stop and a start
		t.Errorf("the stop after it: %v", err)
	}
	e.Start()
	e.AtRest(30 * time.Second)

	control := verdict.Verdict{Fault: "poison, with its dead letters thrown away", Acked: int64(sent), Lost: lost(toRaw, rows, 0)}
	control.Breaks(t)
}

func lost(sent, rows, dead int) int64 { return int64(max(0, sent-rows-dead)) }

func poisonRows(e *harness.Edged) (n int) {
	for _, r := range e.Rows("raw.ndjson") {
		if strings.HasPrefix(fmt.Sprint(r["topic"]), "site/poison/") {
			n++
		}
	}
	return n
}

func dropped(e *harness.Edged, stream string) uint64 {
	for _, s := range e.Status().Streams {
		if s.Stream == stream {
			return s.Dropped
		}
	}
	return 0
}

// wantGroups checks that the groups which are there went on while others were refused.
func wantGroups(t *testing.T, e *harness.Edged) {
	t.Helper()
	perWindow := map[string]int{}
	for _, r := range e.Rows("groups.ndjson") {
		perWindow[fmt.Sprint(r["window_start"])]++
	}
	if len(perWindow) == 0 {
		t.Error("no group reached the sink")
	}
	for at, n := range perWindow {
		if n > 5 {
			t.Errorf("window %s has %d groups, max_groups is 5", at, n)
		}
	}
}
