package receiver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"edged"
	"edged/test/await"
)

// printer is a handler that prints what it takes.
type printer struct{}

func (printer) Take(_ context.Context, m *edged.Message, _ edged.Acker, _ uint64) error {
	fmt.Printf("took %s\n", m.Payload)
	return nil
}

// TestAKilledGateway is the gateway of the test below.
func TestAKilledGateway(t *testing.T) {
	if os.Getenv("EDGED_TEST_KILLED") == "" {
		t.Skip("it is started by another test")
	}
	c := DefaultExec()
	c.Command = []string{"sh", "-c", "echo $$; exec sleep 1000"}
	env := lineEnv(io.Discard)
	env.DataDir = t.TempDir()
	_ = c.New(env).Run(context.Background(), printer{})
}

func TestAKilledGatewayLeavesNoProgram(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestAKilledGateway$")
	cmd.Env = append(os.Environ(), "EDGED_TEST_KILLED=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	pid := 0
	for in := bufio.NewScanner(out); pid == 0 && in.Scan(); {
		if text, ok := strings.CutPrefix(in.Text(), "took "); ok {
			pid, _ = strconv.Atoi(text)
		}
	}
	if pid == 0 || !alive(pid) {
		t.Fatalf("the program %d does not run", pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	await.Soon(t, "the program has ended", func() bool { return !alive(pid) })
}
