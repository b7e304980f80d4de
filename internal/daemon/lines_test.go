package daemon

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"edged/test/await"
)

// Lines reach the log through the daemon's wiring: those of a payload, and those of a program.
func TestLinesReachTheLog(t *testing.T) {
	text := strings.Replace(fmt.Sprintf(gateway, t.TempDir()), "topics = [\"site/#\"]\n[stream", `topics = ["site/#"]
split = "lines"
[receiver.script]
type = "exec"
command = ["sh", "-c", "echo one; echo two; exec sleep 1000"]
[stream`, 1)
	d := gatewayOf(t, text)
	run(t, d)
	if err := d.broker.Publish(t.Context(), "site/1", []byte("1\r\n2\n\n3"), 2, false); err != nil {
		t.Fatal(err)
	}
	stored := func(receiver string) (got []string) {
		for seq := uint64(0); ; {
			e, ok, err := d.store.Next(seq)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				return got
			}
			seq = e.Seq + 1
			if e.Block != nil && e.Block.Receiver == receiver {
				for i := range e.Block.Len() {
					got = append(got, e.Block.TopicOf(i)+" "+string(e.Block.Payload(i)))
				}
			}
		}
	}
	await.Soon(t, "the lines of a payload are stored", func() bool {
		return slices.Equal(stored("field"), []string{"site/1 1", "site/1 2", "site/1 3"})
	})
	await.Soon(t, "the lines of a program are stored", func() bool {
		return slices.Equal(stored("script"), []string{"lines/script one", "lines/script two"})
	})
}
