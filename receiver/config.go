package receiver

import (
	"time"

	"edged"
	"edged/internal/conf"

	"log/slog"

	"github.com/VictoriaMetrics/metrics"
)

// Block is the [block] table.
type Block struct {
	Interval   conf.Duration `toml:"interval" doc:"how long a block gathers messages (Spark: spark.streaming.blockInterval); a commit cuts blocks too, so that it matters only if it is longer than store.commit_interval"`
	Queue      int           `toml:"queue" doc:"blocks of one receiver that may wait for the store (Spark: blockQueueSize); past that its source is slowed down"`
	QueueBytes conf.Size     `toml:"queue_bytes" doc:"bytes of one receiver that may wait for the store, those that it is writing included"`
	AllowShort bool          `toml:"allow_short" doc:"allow an interval below 50ms: more commits, more wear"`
}

// DefaultBlock returns the defaults.
func DefaultBlock() *Block {
	return &Block{Interval: conf.Duration(200 * time.Millisecond), Queue: 10, QueueBytes: 8 << 20}
}

// LoadBlock binds and checks the [block] table; t is nil if the file has none.
func LoadBlock(t *conf.Table) *Block {
	b := DefaultBlock()
	if t == nil {
		return b
	}
	t.Bind(b)
	switch {
	case t.Bad("interval"):
	case b.Interval <= 0:
		t.Errorf("interval", "interval: it must be above 0")
	case b.Interval.D() < 50*time.Millisecond && !b.AllowShort:
		t.Errorf("interval", "interval: below 50ms the cost of a block outweighs its use; set allow_short = true if it must be")
	}
	if b.Queue < 1 {
		t.Errorf("queue", "queue: it must be at least 1")
	}
	if b.QueueBytes < 64<<10 {
		t.Errorf("queue_bytes", "queue_bytes: it must be at least 64KiB")
	}
	return b
}

// Common are the keys that every receiver has.
type Common struct {
	Type    string    `toml:"type" doc:"the kind of receiver"`
	Storage string    `toml:"storage" doc:"memory_and_disk: durable, and recent blocks in memory too; disk: durable; memory: never on disk, acknowledged on receipt, lost at a crash and outside the promise"`
	MaxRate conf.Rate `toml:"max_rate" doc:"messages taken in at most, e.g. \"2000/s\"; past that the source is slowed down; \"\" is no bound (Spark: spark.streaming.receiver.maxRate)"`

	Backpressure bool      `toml:"backpressure" doc:"the source is slowed down to what the streams of this receiver work off, as a PID estimator finds it from one batch after another; the slowest stream decides, max_rate stays the most (Spark: spark.streaming.backpressure.enabled). See also backpressure of a sink"`
	MinRate      conf.Rate `toml:"backpressure_min_rate" doc:"the least that back-pressure, of streams or sinks, comes to (Spark: spark.streaming.backpressure.pid.minRate)"`
	Split        string    `toml:"split" doc:"\"lines\": each line of a payload (LF or CRLF) is a message, and empty lines are none; the lines of a payload are stored together or not at all, and it is acknowledged when they are. \"\": a payload is a message"`
}

// DefaultCommon returns the defaults.
func DefaultCommon() *Common { return &Common{Storage: "memory_and_disk", MinRate: DefaultMinRate} }

// Check reports what is wrong with the common keys. levels are the storage levels that the store knows.
func (c *Common) Check(t *conf.Table, levels []string) {
	t.OneOf("storage", c.Storage, levels...)
	switch {
	case t.Bad("backpressure_min_rate"):
	case c.MinRate <= 0:
		t.Errorf("backpressure_min_rate", "backpressure_min_rate: it must be above 0, or the receiver could come to a stand; leave it out for %d/s", DefaultMinRate)
	case t.Has("backpressure_min_rate") && c.MaxRate > 0 && c.MinRate > c.MaxRate:
		t.Errorf("backpressure_min_rate", "backpressure_min_rate: %v is above max_rate, %v, which would be the rate at all times", c.MinRate, c.MaxRate)
	}
	t.OneOf("split", c.Split, "", "lines")
	if c.Storage == "memory" {
		t.Notef("storage", `receiver %s: storage = "memory" is outside the promise: its messages are acknowledged on receipt and lost at a crash`, t.Name())
	}
}

// Config is the configuration of one receiver of one kind. A new one holds the defaults.
type Config interface {
	// Fields are the structs whose keys are in the receiver's table.
	Fields() []any
	// Check reports what is wrong with the values. It writes nothing.
	Check(t *conf.Table, env Env)
	// Topics are filters that cover every topic that the receiver can bring; streams are held against them.
	Covers() []string
	// New makes the receiver; it connects to nothing.
	New(env Env) edged.Receiver
}

// Env is what a receiver gets from the gateway. In Check only Name, DataDir and Embedded are set.
type Env struct {
	Name     string
	DataDir  string
	Embedded bool // there is a [broker] table
	Log      *slog.Logger
	Metrics  *metrics.Set
	// Attach gives a handler every message of the embedded broker that matches a filter, until detach is called, once. It may
	// be called in New: the broker does not serve anybody yet.
	Attach func(filters []string, h edged.Handler) (detach func())
	// Dial makes a receiver from an external broker's settings.
	Dial func(remote Remote, topics []string) edged.Receiver
	// Notes keeps what the receiver has to know after a restart. It may be used while Run runs.
	Notes Notes
	// Reload has f called when one of the files changes, and on SIGHUP: f uses what it reads, or returns an error and keeps what
	// it had. It may be called in New only. name stands in log lines.
	Reload func(name string, files []string, f func() error)
	// Wanted reports whether a stream that has passed a place in the log lacks what the receiver has offered once and would not offer again by itself: a table. It
	// may be nil.
	Wanted func(since edged.Pos) bool
}

// Notes keeps one value for each name in the store.
type Notes interface {
	// Load returns what was saved last, nil if there is nothing. An error means that there was something, and that it is damaged.
	Load(name string) ([]byte, error)
	// Save replaces the value and returns at once. It goes with a commit of the usual cadence; done is then called, from
	// another goroutine, and must not block. value is the store's from now on.
	Save(name string, value []byte, done func(error))
}
