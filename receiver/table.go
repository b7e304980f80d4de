package receiver

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"edged"
	"edged/internal/conf"
)

// Table is the kind table: a file as a whole, as one message, at first and whenever it has changed. Streams join it; see docs/adr/0020-joins.md.
type Table struct {
	Path     string        `toml:"path" doc:"the file, relative to data_dir. When what it holds has changed, the whole of it is one message, so that a change is in force for a stream that joins it at one place of the log. A file that is missing, empty, too large or being written is passed over: the table before stays in force"`
	Topic    lineTopic     `toml:"topic" doc:"topic of the messages; {name} is the receiver's name"`
	Every    conf.Duration `toml:"every" doc:"how often the file is looked at, besides when the system tells of a change, and on SIGHUP"`
	MaxBytes conf.Size     `toml:"max_bytes" doc:"the largest table, at most 16MiB; every stream that joins it keeps one in memory and in the store"`

	name string
}

// DefaultTable returns the defaults.
func DefaultTable() *Table {
	return &Table{Topic: "{name}", Every: conf.Duration(5 * time.Second), MaxBytes: 1 << 20}
}

// Fields implements Config.
func (c *Table) Fields() []any { return []any{c} }

// Check implements Config.
func (c *Table) Check(t *conf.Table, env Env) {
	c.name = env.Name
	c.Topic.check(t, "{name}")
	switch {
	case t.Bad("every"):
	case c.Every.D() < 100*time.Millisecond:
		t.Errorf("every", "every: it must be at least 100ms")
	}
	if c.MaxBytes < 1 || c.MaxBytes > 16<<20 {
		t.Errorf("max_bytes", "max_bytes: want 1 byte to 16MiB")
	}
	if t.Text("split") != "" {
		t.Errorf("split", "split: a table is one message; leave it out")
	}
	if t.Text("storage") == "memory" {
		t.Errorf("storage", `storage: a table in memory would be lost at a crash, and what was joined with it; leave "memory" out`)
	}
	if t.Bad("path") {
		return
	}
	if c.Path == "" {
		t.Errorf("path", `[%s] needs path, the file that holds the table, for example path = "devices.csv"`, t.Title())
		return
	}
	c.Path = inDir(env.DataDir, c.Path)
	if fi, err := os.Stat(c.Path); err == nil && !fi.Mode().IsRegular() {
		t.Errorf("path", "path: %s is no regular file", c.Path)
	} else if !readable(c.Path) {
		t.Awaitf("path", "path: %s is not there or cannot be read by this user: receiver %s waits for it", c.Path, env.Name)
	}
}

// Covers implements Config.
func (c *Table) Covers() []string { return []string{c.Topic.covers(c.name)} }

// Message is the table as the receiver would offer it now, for a trial.
func (c *Table) Message(name string) (*edged.Message, error) {
	text, err := os.ReadFile(c.Path)
	if err == nil && int64(len(text)) > int64(c.MaxBytes) {
		err = c.tooLarge(int64(len(text)))
	}
	return &edged.Message{Topic: c.Topic.of(name, ""), Payload: text, QoS: 1}, err
}

func (c *Table) tooLarge(n int64) error {
	return fmt.Errorf("%s is %d bytes long; max_bytes is %v", c.Path, n, c.MaxBytes)
}

// New implements Config.
func (c *Table) New(env Env) edged.Receiver {
	t := &tableFile{Table: *c, env: env, poked: make(chan struct{}, 1), log: env.Log.With(slog.String("receiver", env.Name))}
	if env.Reload != nil {
		env.Reload("table "+filepath.Base(c.Path), []string{c.Path}, func() error {
			select {
			case t.poked <- struct{}{}:
			default: // it is about to look
			}
			return nil
		})
	}
	return t
}
