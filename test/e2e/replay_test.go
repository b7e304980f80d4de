package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"edged/test/await"
	"edged/test/harness"
	"edged/test/load"
	"edged/test/rawmqtt"
)

// replay runs edged replay.
func replay(t *testing.T, e *harness.Edged, args ...string) (said string, err error) {
	t.Helper()
	out, err := exec.Command(harness.Binary(t, "edged/cmd/edged"), append(append([]string{"replay"}, args...), "--config", e.File)...).CombinedOutput()
	return string(out), err
}

// bare are rows as texts without the sign of a replay, and how many have it.
func bare(rows []map[string]any) (out []string, again int) {
	for _, r := range rows {
		if r["replay"] == true {
			again++
		}
		delete(r, "replay")
		out = append(out, fmt.Sprint(r))
	}
	return out, again
}

// A replay gives a sink the rows that it had once more, under other keys, and another sink nothing; with kills before and behind it.
func TestAReplayFillsAGap(t *testing.T) {
	t.Parallel()
	cloud := harness.NewServer(t)
	e := harness.New(t, withCloud(base, cloud.URL))
	e.Start()
	const n = 24
	for i := range n {
		publish(t, e.Broker, "-q", "1", "-t", fmt.Sprintf("site/%d/gpio/3", i%2), "-m", fmt.Sprintf(`{"value":%d}`, i))
		time.Sleep(100 * time.Millisecond)
	}
	publish(t, e.Broker, "-q", "1", "-t", "site/1/gpio/3", "-m", "poison")
	total := func(rows []map[string]any) float64 { return sum(rows, "0", "3", "n") + sum(rows, "1", "3", "n") }
	harness.Until(t, 10*time.Second, "all windows are delivered", func() bool { return total(e.Rows("aggregates.ndjson")) == n && total(cloud.Rows()) == n })
	e.AtRest(10 * time.Second)
	e.Kill()
	e.Start()
	e.AtRest(10 * time.Second)
	file, had := read(t, e, "aggregates.ndjson"), cloud.Rows()
	keys, _, _ := cloud.Keys()

	said, err := replay(t, e, "--stream", "pins", "--from", "10m", "--sink", "cloud", "--dry-run")
	if err != nil || !strings.Contains(said, " rows of stream pins would go to cloud, of messages that arrived from ") {
		t.Fatalf("%v: %s", err, said)
	}
	said, err = replay(t, e, "--stream", "pins", "--from", "10m", "--sink", "cloud")
	if err != nil || !strings.Contains(said, fmt.Sprintf("\n%d rows of stream pins go to cloud, of messages that arrived from ", len(had))) ||
		!strings.Contains(said, fmt.Sprintf("edged: %d messages read, %d rows; of the messages %d were applied, 0 filtered, 0 late, 1 dead", n+1, len(had), n)) || !strings.Contains(said, "edged: dead: site/1/gpio/3: not json") {
		t.Fatalf("%v: %s", err, said)
	}
	e.Kill() // what it has given is durable
	e.Start()
	harness.Until(t, 10*time.Second, "the rows come again", func() bool { return len(cloud.Rows()) >= 2*len(had) })
	s := e.AtRest(10 * time.Second)
	want, _ := bare(had)
	got, again := bare(cloud.Rows()[len(had):])
	if again != len(had) || !slices.Equal(got, want) {
		t.Errorf("%d rows came again\ngot  %v\nwant %v", again, got, want)
	}
	all, _, other := cloud.Keys() // what was under way when it was killed comes again under its key
	if len(all) <= len(keys) || len(other) > 0 || !strings.Contains(all[len(all)-1], "/pins.replay/cloud/") {
		t.Errorf("keys %v, with other bytes %v", all, other)
	}
	if now := read(t, e, "aggregates.ndjson"); now != file {
		t.Errorf("the sink that was not named has\n%s", now)
	}
	if d := len(e.Rows("dead.ndjson")); d != 2 { // of the streams raw and pins
		t.Errorf("%d dead letters", d)
	}
	for _, k := range s.Sinks {
		for _, d := range k.Deliveries {
			if want := map[string]uint64{"cloud": uint64(len(had))}[k.Name]; d.Stream == "pins.replay" && (d.Produced != want || d.Delivered != want) {
				t.Errorf("%s: %+v", k.Name, d)
			}
		}
	}
	// To all of its sinks, and a part of the time.
	from := fmt.Sprint(had[len(had)-1]["window_start"])
	if said, err = replay(t, e, "--stream", "pins", "--from", from); err != nil || !strings.Contains(said, "go to aggregates, cloud, of messages") {
		t.Fatalf("%v: %s", err, said)
	}
	e.AtRest(10 * time.Second)
	inFile, again := bare(e.Rows("aggregates.ndjson"))
	inCloud, _ := bare(cloud.Rows())
	if again == 0 || again >= len(had) || !slices.Equal(inFile[len(had):], inCloud[2*len(had):]) || !slices.Equal(inFile[len(had):], inFile[len(had)-again:len(had)]) {
		t.Errorf("of the last window on: the file has %v, the endpoint %v", inFile[len(had):], inCloud[2*len(had):])
	}
}

// What cannot be replayed is said, with what can; and nothing is given.
func TestAReplayOfWhatIsGone(t *testing.T) {
	t.Parallel()
	e := harness.New(t, strings.Replace(base, "%s", "", 1))
	if said, err := replay(t, e, "--stream", "pins", "--from", "10m"); err == nil || !strings.Contains(said, "is it running? (systemctl status edged)") {
		t.Errorf("stopped: %v, %s", err, said)
	}
	e.Start()
	if said, err := replay(t, e, "--stream", "pins", "--from", "10m"); err == nil || !strings.Contains(said, "edged: no message of stream pins is stored: what was delivered is kept for store.keep, 10m") {
		t.Errorf("empty: %v, %s", err, said)
	}
	publish(t, e.Broker, "-q", "1", "-t", "site/7/gpio/3", "-m", `{"value":1}`)
	e.AtRest(10 * time.Second)
	for want, args := range map[string][]string{
		`there is no [stream.pinz]; did you mean "pins"?`:                          {"--stream", "pinz", "--from", "10m"},
		"--sink: sink archive does not take stream pins; its sinks are aggregates": {"--stream", "pins", "--from", "10m", "--sink", "archive"},
		"nothing lies between ":                                                     {"--stream", "pins", "--from", "5m", "--to", "10m"},
		"no message of stream pins that is stored came before ":                     {"--stream", "pins", "--from", "2020-01-01T00:00:00Z", "--to", "2020-01-02T00:00:00Z"},
		"nothing from 2100-01-01T00:00:00Z on is stored yet: the last of it is of ": {"--stream", "pins", "--from", "2100-01-01T00:00:00Z", "--to", "2100-01-02T00:00:00Z"},
	} {
		if said, err := replay(t, e, args...); err == nil || !strings.Contains(said, want) {
			t.Errorf("%v: %v, %s", args, err, said)
		}
	}
	if rows := e.Rows("aggregates.ndjson"); len(rows) > 1 {
		t.Errorf("rows were given: %v", rows)
	}
}

// A replay beside load, killed in its middle and done again: the file that it was not for neither loses nor doubles, and the other has what was its own once.
func TestAReplayUnderLoad(t *testing.T) {
	t.Parallel()
	config := strings.Replace(load.Config, `sinks = ["archive"]`, `sinks = ["archive", "second"]`, 1) + "[sink.second]\ntype = \"file\"\npath = \"second.ndjson\"\n"
	e := harness.New(t, config)
	e.Start()
	given := 0
	run := load.Under(t, e, load.Plan{Rate: 2000}, func() {
		time.Sleep(2 * time.Second)
		ended := make(chan string, 1)
		go func() {
			said, err := replay(t, e, "--stream", "raw", "--from", "10m", "--sink", "second")
			ended <- fmt.Sprint(err, said)
		}()
		harness.Until(t, 10*time.Second, "the replay gives rows", func() bool {
			_, given = bare(e.Rows("second.ndjson"))
			return given > 0
		})
		e.Kill()
		<-ended
		e.Start()
		harness.Until(t, 10*time.Second, "the stream is open", func() bool { return e.Status().Streams[0].Position > 0 })
		said, err := replay(t, e, "--stream", "raw", "--from", "10m", "--sink", "second")
		if err != nil {
			t.Errorf("%v: %s", err, said)
		}
	})
	e.AtRest(30 * time.Second)
	load.Judge(t, e, run, "a replay under load, and SIGKILL in its middle", "raw.ndjson").Holds(t)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
	var own, again []string
	for _, r := range e.Rows("second.ndjson") {
		text := fmt.Sprint(r["topic"], r["payload"], r["time"])
		if r["replay"] == true {
			again = append(again, text)
		} else {
			own = append(own, text)
		}
	}
	var archive []string
	for _, r := range e.Rows("raw.ndjson") {
		if r["replay"] != nil {
			t.Fatalf("a replayed row in the other file: %v", r)
		}
		archive = append(archive, fmt.Sprint(r["topic"], r["payload"], r["time"]))
	}
	if !slices.Equal(own, archive) {
		t.Errorf("of %d rows the second file has %d of its own", len(archive), len(own))
	}
	// Each replay gives a beginning of the rows, in their order.
	cut := slices.Index(again[1:], again[0]) + 1
	if cut == 0 || cut > len(archive) || len(again)-cut > len(archive) || !slices.Equal(again[:cut], archive[:cut]) || !slices.Equal(again[cut:], archive[:len(again)-cut]) || len(again)-cut <= cut/2 {
		t.Errorf("%d rows came again, %d of them by the first replay; there are %d", len(again), cut, len(archive))
	}
}

// A replay waits for a sink that is behind, closes the way in for nobody, and is one at a time. A reload that changes the stream ends it.
func TestAReplayWaits(t *testing.T) {
	t.Parallel()
	cloud := harness.NewServer(t)
	down := func(yes bool) {
		cloud.Answer(func(*http.Request, string) int {
			if yes {
				return http.StatusServiceUnavailable
			}
			return http.StatusNoContent
		})
	}
	config := strings.Replace(fmt.Sprintf(base, ""), `sinks = ["archive"]`, `sinks = ["archive", "cloud"]`, 1) + fmt.Sprintf("[sink.cloud]\ntype = \"http\"\nurl = %q\nmax_pending = \"128KiB\"\nbatch_age = \"200ms\"\n", cloud.URL)
	e := harness.New(t, config)
	e.Start()
	w, _ := rawmqtt.Login(t, fmt.Sprintf("127.0.0.1:%d", e.Broker), rawmqtt.Connect{ID: "pub"})
	const n = 300
	for i := range n {
		w.Publish(rawmqtt.Publish{Topic: "site/1/x", Payload: fmt.Sprintf(`{"id":%d,"more":"%01000d"}`, i, 0), QoS: 1, ID: uint16(i + 1)})
		w.Acks(0x40, uint16(i+1))
	}
	e.AtRest(20 * time.Second)
	had := len(cloud.Rows())
	begin := func() (said *await.Log, ended chan error) {
		said, ended = &await.Log{}, make(chan error, 1)
		cmd := exec.Command(harness.Binary(t, "edged/cmd/edged"), "replay", "--stream", "raw", "--from", "10m", "--sink", "cloud", "--config", e.File)
		cmd.Stdout, cmd.Stderr = said, said
		go func() { ended <- cmd.Run() }()
		return said, ended
	}
	pending := func() (rows int64) {
		for _, k := range e.Status().Sinks {
			for _, d := range k.Deliveries {
				if d.Stream == "raw.replay" && k.Name == "cloud" {
					rows = d.Pending
				}
			}
		}
		return rows
	}
	down(true)
	first, ended := begin()
	harness.Until(t, 20*time.Second, "some of it is given", func() bool { return pending() > 0 })
	if said, err := replay(t, e, "--stream", "raw", "--from", "10m"); err == nil || !strings.Contains(said, "edged: stream raw is being replayed already; one replay at a time") {
		t.Errorf("a second one: %v, %s", err, said)
	}
	harness.Until(t, 20*time.Second, "it waits, and says so", func() bool { return first.Count("edged: waiting for sink cloud, which is behind") > 0 })
	time.Sleep(2 * time.Second) // and gives no more
	held := pending()
	w.Publish(rawmqtt.Publish{Topic: "site/1/x", Payload: `{"id":-1}`, QoS: 1, ID: 1})
	w.Acks(0x40, 1)
	if s := e.Status(); held >= n/2 || len(s.Blocked) > 0 {
		t.Errorf("%d rows are given to a sink that is away; closed is %v", held, s.Blocked)
	}
	down(false)
	if err := <-ended; err != nil || first.Count("300 rows of stream raw go to cloud") != 1 {
		t.Errorf("%v: it says %s", err, first)
	}
	e.AtRest(20 * time.Second)
	again := map[int]int{}
	for _, r := range cloud.Rows()[had:] {
		if r["replay"] == true {
			again[int(r["payload"].(map[string]any)["id"].(float64))]++
		}
	}
	if len(again) != n {
		t.Errorf("%d of %d messages came again", len(again), n)
	}
	for id, times := range again {
		if times != 1 {
			t.Errorf("message %d came again %d times", id, times)
		}
	}

	down(true)
	second, ended := begin()
	harness.Until(t, 20*time.Second, "some of it is given", func() bool { return pending() > 0 })
	becomes(t, e, strings.Replace(config, "[stream.raw]", "[stream.raw]\nwhere = \"true\"", 1))
	if err := <-ended; err == nil || second.Count("the replay has ended early: stream raw was changed by a reload; what was given stays") != 1 || second.Count(" rows of stream raw went to cloud") != 1 {
		t.Errorf("%v: it says %s", err, second)
	}
	down(false)
	e.AtRest(90 * time.Second)
	if _, twice, other := cloud.Keys(); len(twice)+len(other) > 0 {
		t.Errorf("keys that came twice: %v, with other bytes: %v", twice, other)
	}
}
