//go:build linux

package machine

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/verdict"
)

const installed = "/var/lib/edged" // data_dir, from the unit's StateDirectory

// config is load.Config for the installed gateway.
var config = strings.NewReplacer("{{dir}}", installed, "{{broker}}", "1883", "{{http}}", "8080").Replace(load.Config)

// life is what happens to the installed gateway while it is published to.
type life struct {
	fault  string
	last   time.Duration             // how long is published
	inject func(t *testing.T) string // returns what is to be said of it
}

// The installed unit, under a systemd: whatever ends the gateway loses nothing, and it is started again, unless that makes no sense.
func TestSystemd(t *testing.T) {
	if !all() {
		t.Skip("the long form runs it")
	}
	if !(Machine{Config: config, Within: 12 * time.Minute}).Inside(t) {
		return
	}
	if got := show(t, "Type") + " " + show(t, "WatchdogUSec") + " " + show(t, "ActiveState"); got != "notify 1min active" {
		t.Fatalf("the unit is %s\n%s", got, journal(t))
	}
	for i, l := range []life{
		{"installed unit, booted; SIGKILL of the service, 3 times", 10 * time.Second, killed},
		{"systemctl stop under load, then start", 8 * time.Second, stopped},
		{"mistakes in the configuration, systemctl restart; then mended", 15 * time.Second, mistaken},
		{"what the sandbox forbids, tried from inside the unit", 10 * time.Second, probed},
		{"SIGSTOP of the service until the watchdog has enough", 80 * time.Second, halted},
	} {
		t.Run(l.fault, func(t *testing.T) { l.run(t, 100*i).Holds(t) })
	}
	e := harness.Attach(t, installed, "", 1883, 8080)
	load.SameCounts(t, e, e.Rows("raw.ndjson"))
}

// The check fails for a program that keeps nothing that it acknowledges: it is killed, and what it started with is gone.
func TestSystemdControl(t *testing.T) {
	if !all() {
		t.Skip("the long form runs it")
	}
	memory := load.With(config, "receiver.field", `storage = "memory"`) // acknowledged on receipt, and never on disk
	if !(Machine{Config: memory}).Inside(t) {
		return
	}
	life{"SIGKILL of a service that acknowledges what it keeps in memory", 10 * time.Second, killed}.run(t, 0).Breaks(t)
}

// run publishes from connections numbered from first, and injects.
func (l life) run(t *testing.T, first int) verdict.Verdict {
	e := harness.Attach(t, installed, "", 1883, 8080)
	said := ""
	run := load.Under(t, e, load.Plan{Rate: 200, For: l.last, Extra: []string{"-conn0", fmt.Sprint(first)}}, func() {
		before := e.Status().Receivers[0].Stored
		harness.Until(t, 20*time.Second, "messages are taken in", func() bool { return e.Status().Receivers[0].Stored > before+200 })
		said = l.inject(t)
	})
	e.AtRest(30 * time.Second)
	v := load.Judge(t, e, run, l.fault, own(t, e, first))
	v.Expected = said
	return v
}

// own writes the raw rows of the connections from first on to a file of their own, and returns its name, seen from the data directory.
func own(t *testing.T, e *harness.Edged, first int) string {
	t.Helper()
	var lines []string
	for _, row := range e.Rows("raw.ndjson") {
		conn := 0
		fmt.Sscanf(row["topic"].(string), "site/%d/", &conn)
		if conn < first {
			continue
		}
		line, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	path := fmt.Sprintf("/tmp/own-%d", first) // the machine's
	write(t, path, strings.Join(lines, "\n")+"\n")
	relative, err := filepath.Rel(installed, path)
	if err != nil {
		t.Fatal(err)
	}
	return relative
}
