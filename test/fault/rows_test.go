package fault

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// linesOf reads a file.
func linesOf(t testing.TB, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// seqOf is the sequence number that mqttload put into a row's payload.
func seqOf(line string) int64 {
	var row struct {
		Payload struct {
			Seq int64 `json:"seq"`
		} `json:"payload"`
	}
	if json.Unmarshal([]byte(line), &row) != nil {
		return -1
	}
	return row.Payload.Seq
}
