package blockstore

import (
	"strconv"
	"time"

	"edged/internal/conf"
)

// Config is the [store] table.
type Config struct {
	MaxBytes       conf.Size     `toml:"max_bytes" doc:"size of the store file at most; when it is full, intake stops (when_full = \"block\") and nothing is lost. At most 512MiB on 32-bit computers"`
	ReserveFree    conf.AutoSize `toml:"reserve_free" doc:"space that the store leaves free on its file system; auto = the smaller of 200MiB and 5 %"`
	Commit         string        `toml:"commit" doc:"auto: early commits within write_budget; eager: a commit as soon as the disk is idle, whatever it costs the card"`
	CommitInterval conf.Duration `toml:"commit_interval" doc:"the base cadence: what waits is committed at the latest after this time"`
	WriteBudget    conf.ByteRate `toml:"write_budget" doc:"what early commits may cost in the store file above the base cadence; \"unlimited\" for no bound"`
	WriteBurst     conf.Size     `toml:"write_burst" doc:"how much of the budget may be saved up"`
	MemoryCache    conf.Size     `toml:"memory_cache" doc:"recent blocks kept in memory, so that batches seldom read the disk; also the bound of storage = \"memory\""`
	Keep           conf.Duration `toml:"keep" doc:"how long delivered blocks are kept for replay and trial; reclaimed first when space runs short"`
	Checkpoint     conf.Duration `toml:"checkpoint_interval" doc:"how often the state of open windows is saved; blocks since the last checkpoint are read again after a crash"`
}

// Default returns the defaults.
func Default() *Config {
	return &Config{
		MaxBytes: 1 << 30, ReserveFree: conf.AutoSize{Auto: true}, Commit: "auto", CommitInterval: conf.Duration(200 * time.Millisecond),
		WriteBudget: 2e9 / 86400.0, WriteBurst: 384e6, MemoryCache: 16 << 20, Keep: conf.Duration(10 * time.Minute), Checkpoint: conf.Duration(30 * time.Second),
	}
}

const max32 = 512 << 20 // what 32-bit address space leaves for the mapped file

// Load binds and checks the [store] table; t is nil if the file has none.
func Load(t *conf.Table) *Config {
	c := Default()
	if t != nil {
		t.Bind(c)
		c.check(t)
	}
	if strconv.IntSize == 32 && c.MaxBytes > max32 {
		if t != nil && t.Has("max_bytes") {
			t.Notef("max_bytes", "max_bytes: this is a 32-bit computer, so 512MiB is used instead of %v", c.MaxBytes)
		}
		c.MaxBytes = max32
	}
	return c
}

func (c *Config) check(t *conf.Table) {
	if c.MaxBytes < minBytes {
		t.Errorf("max_bytes", "max_bytes: %v is too small; the store needs at least %v", c.MaxBytes, conf.Size(minBytes))
	}
	if c.Commit != "auto" && c.Commit != "eager" {
		t.Errorf("commit", `commit: want "auto" or "eager", have %q`, c.Commit)
	}
	if c.CommitInterval <= 0 || c.CommitInterval.D() > time.Minute {
		t.Errorf("commit_interval", "commit_interval: %q is out of range; it must be above 0 and at most 1m", c.CommitInterval)
	}
	if c.WriteBurst < 1<<20 {
		t.Errorf("write_burst", "write_burst: it must be at least 1MiB")
	}
	if c.MemoryCache < 1<<20 {
		t.Errorf("memory_cache", "memory_cache: it must be at least 1MiB")
	}
	if c.Keep < 0 {
		t.Errorf("keep", "keep: it cannot be negative")
	}
	if c.Checkpoint.D() < time.Second {
		t.Errorf("checkpoint_interval", "checkpoint_interval: it must be at least 1s")
	}
}
