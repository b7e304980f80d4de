package sql

import (
	"bytes"
	"embed"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"text/template"
)

//go:embed queries
var queries embed.FS

// database is one of SQLite's, in a directory of its own.
type database struct {
	t         *testing.T
	sqlite    string
	dir       string
	templates *template.Template
}

func openDatabase(t *testing.T, sqlite string) *database {
	return &database{t, sqlite, t.TempDir(), template.Must(template.ParseFS(queries, "queries/*.sql"))}
}

// run fills the named queries in with a case, and runs them.
func (d *database) run(with any, names ...string) {
	d.t.Helper()
	var script bytes.Buffer
	script.WriteString("PRAGMA journal_mode = OFF;\nPRAGMA synchronous = OFF;\nPRAGMA temp_store = MEMORY;\nPRAGMA cache_size = -1000000;\n.output stdout\n.nullvalue NULL\n.mode csv\n.headers on\n")
	for _, name := range names {
		if err := d.templates.ExecuteTemplate(&script, name+".sql", with); err != nil {
			d.t.Fatal(err)
		}
	}
	cmd := exec.Command(d.sqlite, "-bail", "data.db")
	cmd.Dir, cmd.Stdin = d.dir, &script
	if out, err := cmd.CombinedOutput(); err != nil || bytes.Contains(out, []byte("rror")) {
		d.t.Fatalf("sqlite3: %v: %s", err, out)
	}
}

// read adds what a query has written to a table; a cell named in texts stays a text.
func (d *database) read(file string, into table, texts ...string) {
	d.t.Helper()
	lines := d.lines(file)
	if len(lines) == 0 {
		return // no row: not even the heading is written
	}
	head := lines[0]
	for _, line := range lines[1:] {
		k := key{d.whole(line[0]), d.whole(line[1]), line[2]}
		if into[k] == nil {
			into[k] = map[string]any{}
		}
		for i, text := range line[3:] {
			name := head[i+3]
			switch f, err := strconv.ParseFloat(text, 64); {
			case text == "NULL":
				into[k][name] = nil
			case slices.Contains(texts, name):
				into[k][name] = text
			case err != nil:
				d.t.Fatalf("%s: %s of %+v: %v", file, name, k, err)
			default:
				into[k][name] = f
			}
		}
	}
}

func (d *database) lines(file string) [][]string {
	f, err := os.Open(filepath.Join(d.dir, file))
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		d.t.Fatal(err)
	}
	return lines
}

func (d *database) whole(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

// counts reads how many rows were late, and how many there were.
func (d *database) counts() (late, taken uint64) {
	line := d.lines("late.csv")[1]
	return uint64(d.whole(line[0])), uint64(d.whole(line[1]))
}
