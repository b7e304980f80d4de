package file

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged"
	"edged/internal/conf"
	"edged/sinks/encode"
	"edged/sinks/sinktest"
)

// TestConformanceOnDisk runs the suite on the machine's file system, with everything switched on.
func TestConformanceOnDisk(t *testing.T) {
	for _, rotated := range []bool{false, true} {
		t.Run(map[bool]string{false: "one file", true: "rotated and compressed"}[rotated], func(t *testing.T) {
			sinktest.Run(t, func(t *testing.T) sinktest.Harness {
				env := quiet()
				env.DataDir = t.TempDir()
				c := Default()
				c.Path = "raw.ndjson"
				if rotated {
					c.RotateSize, c.Compress = 300, "zstd"
				}
				return sinktest.Harness{
					Guarantee: sinktest.ExactlyOnce,
					New:       func() edged.Sink { return c.New(env) },
					Encode:    encode.AppendNDJSON,
					Arrived:   func() []sinktest.Arrival { return []sinktest.Arrival{{Body: allGenerations(t, env.DataDir)}} },
				}
			})
		})
	}
}

// allGenerations joins what the files in a directory hold, compressed or not.
func allGenerations(t *testing.T, dir string) (all []byte) {
	c := &closet{fs: disk{}, dir: dir, names: namingOf("raw.ndjson")}
	closed, _, err := c.list()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range closed {
		ending := ""
		if !g.plain {
			ending = g.packed[0]
		}
		text, err := unpacked(ending, readFile(t, filepath.Join(dir, g.name+ending)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	if _, err := os.Stat(filepath.Join(dir, "raw.ndjson")); err == nil {
		all = append(all, readFile(t, filepath.Join(dir, "raw.ndjson"))...)
	}
	return all
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestConformanceWhenFull adds what a disk cannot be made to do: be full after some bytes.
func TestConformanceWhenFull(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		m := newMemfs(1)
		return sinktest.Harness{
			Guarantee: sinktest.ExactlyOnce,
			New:       func() edged.Sink { return inline(newSink(options{path: "/d/raw.ndjson", buffer: 64}, m, quiet())) },
			Encode:    encode.AppendNDJSON,
			Arrived: func() []sinktest.Arrival {
				if m.names["raw.ndjson"] == nil {
					return nil
				}
				return []sinktest.Arrival{{Body: []byte(m.contents("raw.ndjson"))}}
			},
			Refuse: func(after []edged.Delivery) func() {
				m.room = m.used() + 7
				for _, d := range after {
					m.room += int64(len(encode.AppendNDJSON(nil, d.Rows)))
				}
				return func() { m.room = 0 }
			},
		}
	})
}

// inline makes a sink look after its closed files in the goroutine that uses it.
func inline(s *sink) *sink {
	s.tend, s.rest = func() { s.closet.tidy(context.Background()) }, func() {}
	return s
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"sub", "locked"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct{ toml, want string }{
		"fine":                {`path = "raw.ndjson"`, ""},
		"absolute":            {`path = "` + dir + `/sub/x.csv"` + "\nformat = \"csv\"\nstreams = 1", ""},
		"everything":          {"path = \"r\"\nrotate_size = \"1MiB\"\nrotate_age = \"1d\"\ncompress = \"gzip\"\nkeep_files = 3", ""},
		"no path":             {``, "f:1: [sink.a] needs path: the file to append to"},
		"a directory":         {`path = "sub/"`, `f:2: path: "sub/" is a directory, want a file`},
		"a directory, bare":   {`path = "sub"`, "f:2: path: cannot write DIR/sub: it is not a regular file; give path the name of a file"},
		"no directory":        {`path = "nosuch/raw.ndjson"`, "place: f:2: path: the directory DIR/nosuch does not exist; make it, or correct the path"},
		"unknown format":      {"path = \"r\"\nformat = \"ndjsn\"", `f:3: format: want "ndjson" or "csv", have "ndjsn"; did you mean "ndjson"?`},
		"unknown compression": {"path = \"r\"\ncompress = \"lz4\"", `f:3: compress: want "none", "zstd" or "gzip", have "lz4"`},
		"two streams in csv":  {"path = \"r\"\nformat = \"csv\"", "f:3: format: csv takes one stream, and this sink gets raw, pins; give each a file of its own, or use ndjson"},
		"negative":            {"path = \"r\"\nkeep_files = -1", "f:3: keep_files: want 0 (all) or more"},
		"hasty":               {"path = \"r\"\nrotate_age = \"10ms\"", `f:3: rotate_age: want 1s or more, or "" for never`},
		"compressed name":     {`path = "raw.ndjson.gz"`, `f:2: path: "raw.ndjson.gz" ends like a compressed file; only closed files are compressed, and get the ending then`},
	} {
		t.Run(name, func(t *testing.T) {
			env := quiet()
			env.DataDir, env.Streams = dir, []string{"raw", "pins"}
			text, one := strings.CutSuffix(c.toml, "\nstreams = 1")
			if one {
				env.Streams = env.Streams[:1]
			}
			d := conf.Parse("f", []byte("[sink.a]\n"+text))
			table := d.Root().Sub("sink").Sub("a")
			config := Default()
			table.Bind(config)
			config.Check(table, env)
			var got []string
			for _, p := range d.Problems() {
				got = append(got, strings.ReplaceAll(p.String(), dir, "DIR"))
			}
			for _, n := range d.Notes() {
				kind := "note: "
				if n.Place { // it may come to be right: a gateway starts, and the sink waits
					kind = "place: "
				}
				got = append(got, kind+strings.ReplaceAll(n.String(), dir, "DIR"))
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n"), c.want)
			}
		})
	}
}

func TestCheckNotesWhatHasNoEffect(t *testing.T) {
	d := conf.Parse("f", []byte("[sink.a]\npath = \"r\"\ncompress = \"zstd\"\nkeep_files = 3"))
	table := d.Root().Sub("sink").Sub("a")
	config := Default()
	table.Bind(config)
	env := quiet()
	env.DataDir = t.TempDir()
	config.Check(table, env)
	if n := d.Notes(); len(n) != 2 || n[0].Line != 3 || n[1].Line != 4 {
		t.Fatal(n)
	}
}

func TestEncodingIsThatOfTheLines(t *testing.T) {
	a, b := Default(), Default()
	b.Compress, b.RotateSize = "zstd", 1
	if a.Encoding() != b.Encoding() {
		t.Error("compression changed the encoding")
	}
	if b.Format = "csv"; a.Encoding() == b.Encoding() {
		t.Error("csv and ndjson have the same encoding")
	}
}

func TestWriteAllocatesNothingPerRow(t *testing.T) {
	env := quiet()
	env.DataDir = t.TempDir()
	c := Default()
	c.Path = "raw.ndjson"
	s := c.New(env)
	if err := s.Open(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	turn := []edged.Delivery{numbered(1, 2, 1000), numbered(2, 2, 1000)}
	write := func() {
		if _, _, err := s.Write(t.Context(), turn); err != nil {
			t.Fatal(err)
		}
	}
	write() // the receipt of the new file
	if n := testing.AllocsPerRun(5, write); n > 20 {
		t.Errorf("a turn of 2000 rows takes %v allocations", n)
	}
}
