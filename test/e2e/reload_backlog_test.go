package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
)

// A sink that is away is given other options while rows wait for it: what it had taken, and what waits, is counted on.
func TestABacklogIsCountedOverAReload(t *testing.T) {
	t.Parallel()
	cloud := harness.NewServer(t)
	config := strings.Replace(load.Gateway+load.Raw, `sinks = ["archive"]`, `sinks = ["archive", "cloud"]`, 1) + fmt.Sprintf("[sink.cloud]\ntype = \"http\"\nurl = %q\n", cloud.URL)
	e := harness.New(t, config)
	e.Start()
	twenty := func() {
		t.Helper()
		publish(t, e.Broker, "-q", "1", "-t", "site/1/gpio/2", "--repeat", "20", "-m", `{"value":1}`)
	}
	pending := func() (n int64) {
		for _, k := range e.Status().Sinks {
			if k.Name == "cloud" {
				for _, d := range k.Deliveries {
					n += d.Pending
				}
			}
		}
		return n
	}
	twenty()
	e.AtRest(20 * time.Second)
	taken := len(cloud.Rows())
	cloud.Answer(func(*http.Request, string) int { return http.StatusServiceUnavailable })
	twenty()
	harness.Until(t, 20*time.Second, "rows wait", func() bool { return pending() == 20 })
	becomes(t, e, config+"batch_rows = 7\n")
	running(t, e)
	harness.Until(t, 20*time.Second, "they wait after the reload, too", func() bool { return pending() == 20 })
	cloud.Answer(nil)
	e.AtRest(20 * time.Second)
	if n := len(cloud.Rows()); taken != 20 || n != 40 {
		t.Errorf("%d rows were taken, then %d", taken, n)
	}
}
