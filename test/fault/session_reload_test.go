package fault

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
)

// Receivers are exchanged, come and go, and take other topics again and again under load, while subscribers come and go as they like: no
// subscriber misses a message or gets one of QoS 2 twice, nor do the files, whether a receiver takes the topic, two, or none.
func TestSessionsAcrossReloads(t *testing.T) {
	t.Parallel()
	more := "[receiver.more]\ntype = \"mqtt\"\ntopics = [\"#\"]\n[stream.more]\nfrom = [\"more\"]\ntopics = [\"#\"]\ndecode = \"text\"\nsinks = [\"more\"]\n[sink.more]\ntype = \"file\"\npath = \"more.ndjson\"\n"
	rate := strings.NewReplacer("[receiver.field]", "[receiver.field]\nmax_rate = \"100000/s\"", "[receiver.second]", "[receiver.second]\nmax_rate = \"100000/s\"")
	wider := strings.NewReplacer(`topics = ["site/#", "both/#"]`, `topics = ["site/#", "both/#", "free/#"]`)
	configs := []string{sessionConfig + more, rate.Replace(sessionConfig), wider.Replace(sessionConfig) + more, wider.Replace(sessionConfig), sessionConfig}
	reloads := quickOrFull(10, 100)
	e := sessionGateway(t, sessionConfig)
	n := 0
	v, wrong := killedUnderLoad(t, e, reloads, func() {
		e.Configure(configs[n%len(configs)])
		n++
		res, err := http.Post(e.URL("/api/reload"), "", nil)
		if err != nil {
			t.Error(err)
			return
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("the reload is answered with %d", res.StatusCode)
		}
		time.Sleep(100 * time.Millisecond)
	})
	for _, w := range wrong {
		t.Error(w)
	}
	v.Fault = fmt.Sprintf("sessions: %d reloads under load, receivers and subscribers come and go", reloads)
	v.Holds(t)
	e.AtRest(10 * time.Second)
	harness.Until(t, time.Second, "the gateway was never restarted", func() bool { return strings.Count(e.Log(), "edged is ready") == 1 })
}
