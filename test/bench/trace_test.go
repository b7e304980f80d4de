package bench

import (
	"bufio"
	"os"
	"regexp"
	"strconv"
	"testing"
)

var tracedWrite = regexp.MustCompile(`pwrite64.*= (\d+)$`)

// writes adds up what a trace of pwrite64 has written.
func writes(t *testing.T, path string) (bytes float64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	for in.Scan() {
		if m := tracedWrite.FindStringSubmatch(in.Text()); m != nil {
			n, _ := strconv.ParseFloat(m[1], 64)
			bytes += n
		}
	}
	if in.Err() != nil {
		t.Fatal(in.Err())
	}
	return bytes
}
