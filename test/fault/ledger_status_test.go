package fault

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"edged/test/harness"
)

var sums = regexp.MustCompile(`([\d,]+) = (-?[\d,]+(?: \+ -?[\d,]+)+)`)

// printed checks what "edged status" prints of the ledger: every sum is right, and every line is balanced.
func printed(t *testing.T, e *harness.Edged) {
	t.Helper()
	out := harness.Run(t, harness.Binary(t, "edged/cmd/edged"), "status", "--config", e.File)
	number := func(s string) (n int) {
		n, err := strconv.Atoi(strings.ReplaceAll(s, ",", ""))
		if err != nil {
			t.Errorf("status prints the number %q", s)
		}
		return n
	}
	lines := 0
	for _, m := range sums.FindAllStringSubmatch(out, -1) {
		lines++
		total := 0
		for _, term := range strings.Split(m[2], " + ") {
			total += number(term)
		}
		if total != number(m[1]) {
			t.Errorf("status prints %q", m[0])
		}
	}
	if balanced := strings.Count(out, " balanced\n"); lines < 6 || balanced != lines || strings.Contains(out, "DOES NOT") {
		t.Errorf("%d sums, %d of them balanced:\n%s", lines, balanced, out)
	}
	if n := len(e.Rows("dead.ndjson")); n > 0 && !strings.Contains(out, "in "+filepath.Join(e.Dir, "dead.ndjson")) {
		t.Errorf("status does not mention the %d dead letters:\n%s", n, out)
	}
}
