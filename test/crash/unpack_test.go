package crash

import (
	"bufio"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
)

// unpack waits until the closed files of the raw rows are compressed, and puts the raw rows of all of them, and of the open one, into
// unpacked.ndjson. It returns how often each line of a window is there: those of a second stream into the same file.
func unpack(t testing.TB, e *harness.Edged) (windows map[string]int) {
	t.Helper()
	harness.Until(t, 60*time.Second, "closed files are compressed", func() bool {
		plain, _ := filepath.Glob(filepath.Join(e.Dir, "raw-*.ndjson"))
		return len(plain) == 0
	})
	out, err := os.Create(filepath.Join(e.Dir, "unpacked.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := bufio.NewWriter(out)
	defer w.Flush()
	windows = map[string]int{}
	packed, _ := filepath.Glob(filepath.Join(e.Dir, "raw-*.ndjson.gz"))
	for _, path := range append(packed, filepath.Join(e.Dir, "raw.ndjson")) {
		for line := range strings.Lines(text(t, path)) {
			if strings.HasPrefix(line, `{"stream":"pins"`) {
				windows[line]++
			} else {
				w.WriteString(line)
			}
		}
	}
	return windows
}

func text(t testing.TB, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	b, err := io.ReadAll(in)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(b)
}
