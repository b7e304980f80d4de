package exec

import (
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"edged/test/await"
)

// gatewayDir, if it is set, makes the test below the gateway that is killed.
const gatewayDir = "EDGED_TEST_GATEWAY"

// TestTheGatewayIsKilled: a program that cares for nothing ends with the gateway, so that the next one's is the only one.
func TestTheGatewayIsKilled(t *testing.T) {
	if dir := os.Getenv(gatewayDir); dir != "" {
		e := quiet(t)
		e.DataDir = dir
		s := config(`trap '' TERM HUP INT; echo $$ >pid.new; mv pid.new pid; read -r row; echo ok; while :; do sleep 0.1; done`).New(e).(*sink)
		_ = deliver(t, s, delivery(0, 2, ""))
		t.Fatal("it was not killed")
	}
	dir := t.TempDir()
	cmd := osexec.Command(os.Args[0], "-test.run=^TestTheGatewayIsKilled$")
	cmd.Env = append(os.Environ(), gatewayDir+"="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	await.Soon(t, "the program runs", func() bool {
		b, _ := os.ReadFile(filepath.Join(dir, "pid"))
		pid, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		return pid > 0
	})
	if !alive(pid) {
		t.Fatal("no program: the test looks at nothing")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	await.Soon(t, "the program is gone", func() bool { return !alive(pid) })
}

// TestTheWholeGroupEnds: what the program has started ends with it, also what takes no notice of SIGTERM.
func TestTheWholeGroupEnds(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`(trap '' TERM; while :; do sleep 1; done) & echo $! >child
		while read -r row; do echo ok; done`), e)
	if err := deliver(t, s, delivery(0, 1, "")); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(e.DataDir, "child"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || !alive(pid) {
		t.Fatal("no child: the test looks at nothing", err)
	}
	s.Close()
	await.Soon(t, "the child is gone", func() bool { return !alive(pid) })
}

// alive reports whether a process runs; one that nobody has collected does not.
func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(b), ") Z ")
}
