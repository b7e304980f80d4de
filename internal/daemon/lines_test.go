package daemon

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"edged/test/await"
)

// Lines reach the sinks through the daemon's wiring: those of a payload, and those of a program.
func TestLinesReachTheSinks(t *testing.T) {
	text := strings.Replace(fmt.Sprintf(gateway, t.TempDir()), "topics = [\"site/#\"]\n[stream", `topics = ["site/#"]
split = "lines"
[receiver.script]
type = "exec"
command = ["sh", "-c", "echo 4; echo 5; exec sleep 1000"]
[stream.program]
from = ["script"]
topics = ["lines/#"]
sinks = ["screen"]
[stream`, 1)
	screen := &await.Log{}
	d := gatewayTo(t, text, screen)
	run(t, d)
	if err := d.broker.Publish(t.Context(), "site/1", []byte("1\r\n2\n\n3"), 2, false); err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string][]float64{"site/1": {1, 2, 3}, "lines/script": {4, 5}} {
		await.Soon(t, "lines of "+topic, func() bool {
			var got []float64
			for line := range strings.Lines(screen.String()) {
				var row struct {
					Topic   string
					Payload float64
				}
				if json.Unmarshal([]byte(line), &row) == nil && row.Topic == topic {
					got = append(got, row.Payload)
				}
			}
			return slices.Equal(got, want)
		})
	}
}
