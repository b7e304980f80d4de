package child_test

import (
	"os"
	"os/exec"
	"testing"

	"edged/test/await"
)

// parentDir, if it is set, makes the test below the parent that is killed.
const parentDir = "EDGED_TEST_PARENT"

// TestAKilledParentLeavesNoChild: not one that cares for no signal and reads and writes nothing.
func TestAKilledParentLeavesNoChild(t *testing.T) {
	if dir := os.Getenv(parentDir); dir != "" {
		_, gone := script(t, dir, `trap '' TERM HUP INT PIPE; echo $$ >new; mv new pid; while :; do sleep 0.1; done`, 0)
		gone()
		t.Fatal("it was not killed")
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestAKilledParentLeavesNoChild$")
	cmd.Env = append(os.Environ(), parentDir+"="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	n := pid(t, dir, "pid")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	await.Soon(t, "the program is gone", func() bool { return !alive(n) })
}
