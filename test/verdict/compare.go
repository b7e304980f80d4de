package verdict

import (
	"fmt"
	"testing"
)

// Compare adds a line about another program in the same case to the report. It judges nothing: the other program may get better.
func Compare(t testing.TB, says string) {
	t.Helper()
	line := fmt.Sprintf("%-7s %s", "beside", says)
	t.Log(line)
	report(t, line)
}
