package bench

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"edged/test/harness"
)

// eager measures acknowledgements on a slow disk: every sync takes 10 ms more than it does, and a commit is two.
func eager(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		sitting.say(t, "ack-eager", measured{missing: "strace is not installed (make test-deps), which makes the disk slow"})
		return
	}
	const rule = ":delay_exit=10000"
	slow := []string{strace, "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync" + rule, "-e", "inject=fsync" + rule}
	var mine, middle, ceil, commit []float64
	for range rounds(3) { // a disk that stands still once is one turn's
		g := prepared(t, store(whole, "commit = \"eager\"\n"))
		g.Wrap = slow
		g.Start()
		p := publish(t, g.addr, g.PID(), paced(steadyRate, 4*time.Second)...)
		commits, seconds := g.Metric("edged_store_commits_total"), g.Metric("edged_store_commit_seconds_total")
		g.end()
		mine, middle, commit = append(mine, p.P99), append(middle, p.P50), append(commit, 1000*seconds/max(commits, 1))

		addr := loopback(t)
		args := append(slow[1:], harness.Binary(t, "edged/test/mqttload"), "rawsrv", "-addr", addr, "-log", t.TempDir()+"/log")
		s := serve(t, addr, own, strace, args...)
		c := publish(t, s.addr, s.pid, paced(steadyRate, 2*time.Second)...)
		s.end()
		ceil = append(ceil, c.P99)
	}
	sitting.say(t, "ack-eager", measured{figure: median(mine), edged: fmt.Sprintf("%.0f ms, median %.0f", median(mine), median(middle)), ratio: median(ratios(mine, ceil)),
		partner: fmt.Sprintf("mqttload rawsrv -log %.0f ms, one sync", median(ceil)),
		notes: []string{fmt.Sprintf("strace delays the end of every fdatasync and fsync by 10 ms; a commit took %.0f ms", median(commit)),
			fmt.Sprintf("edged's turns: %.0f ms, the ceiling's: %.0f ms", mine, ceil)}})
}
