package sinks

import (
	"edged/internal/conf"
)

// Common are the keys that every sink has.
type Common struct {
	Type       string        `toml:"type" doc:"the kind of sink"`
	MaxPending conf.AutoSize `toml:"max_pending" doc:"bytes of the store that one stream's rows for this sink may hold back, other topics between them included; auto = half of store.max_bytes"`
	WhenFull   string        `toml:"when_full" doc:"at max_pending: block (intake of what the stream needs stops, nothing is lost), drop_oldest or drop_newest (this sink loses rows, counted, also when the store is full before that; everything else goes on)"`

	Backpressure bool `toml:"backpressure" doc:"the pace of this sink slows the receivers of its streams, if it is the slower one, as backpressure of a receiver does; rows are turned into messages by how many of the one came of the other so far. While the sink fails, and takes nothing, the rate stays as it was, and rows wait on disk"`
}

// DefaultCommon returns the defaults.
func DefaultCommon() *Common {
	return &Common{MaxPending: conf.AutoSize{Auto: true}, WhenFull: "block"}
}

// MinPending is the smallest max_pending: below it a sink could not even fill one delivery.
const MinPending = 64 << 10

// Check reports what is wrong with the common keys.
func (c *Common) Check(t *conf.Table) {
	t.OneOf("when_full", c.WhenFull, "block", "drop_oldest", "drop_newest")
	if !c.MaxPending.Auto && c.MaxPending.Bytes < MinPending {
		t.Errorf("max_pending", "max_pending: it must be at least %v", conf.Size(MinPending))
	}
}

// DeadLetters is the [dead_letters] table.
type DeadLetters struct {
	Path     string    `toml:"path" doc:"file of messages that can never be read, and of rows that a sink will never take, with the reason; relative to data_dir"`
	MaxBytes conf.Size `toml:"max_bytes" doc:"size of the file at most"`
	WhenFull string    `toml:"when_full" doc:"drop_newest: further dead letters are counted, not kept; drop_oldest: the older half goes; hold: intake stops until the file is moved away"`
}

// DefaultDeadLetters returns the defaults.
func DefaultDeadLetters() *DeadLetters {
	return &DeadLetters{Path: "dead.ndjson", MaxBytes: 64 << 20, WhenFull: "drop_newest"}
}

// LoadDeadLetters binds and checks the [dead_letters] table; t is nil if the file has none.
func LoadDeadLetters(t *conf.Table) *DeadLetters {
	d := DefaultDeadLetters()
	if t == nil {
		return d
	}
	t.Bind(d)
	t.OneOf("when_full", d.WhenFull, "drop_newest", "drop_oldest", "hold")
	if d.Path == "" {
		t.Errorf("path", "path: name a file")
	}
	if d.MaxBytes < 64<<10 {
		t.Errorf("max_bytes", "max_bytes: it must be at least 64KiB")
	}
	return d
}
