// Package spec is what a kind of sink is: the contract between the sinks room's list and its kinds.
package spec

import (
	"context"
	"io"
	"log/slog"
	"time"

	"edged"
	"edged/internal/conf"

	"github.com/VictoriaMetrics/metrics"
)

// Config is the configuration of one sink of one kind. A new one holds the defaults; its tagged fields are bound to the
// [sink.NAME] table before Check.
type Config interface {
	// Check reports what is wrong with the values, and completes those that depend on others. It may read files that the
	// sink needs (certificates, tokens), and writes nothing.
	Check(t *conf.Table, env Env)
	// Limits says how much one delivery carries.
	Limits() Limits
	// Encoding identifies the bytes that rows become: two configs with the same Encoding make the same bytes of the same
	// rows. It is part of the idempotency key.
	Encoding() string
	// New makes the sink; it opens nothing.
	New(env Env) edged.Sink
}

// Env is what a sink gets from the gateway. Check gets one without Log, Metrics, Stdout and Dial.
type Env struct {
	Name     string // of the sink
	Streams  []string
	Keys     map[string][]string // the group_by columns of those streams that have windows
	DataDir  string
	Embedded bool // there is an embedded broker
	Log      *slog.Logger
	Metrics  *metrics.Set
	Stdout   io.Writer
	// Dial reaches an external broker, whose settings are to, or the embedded one if to is nil. It connects, and ctx bounds that. A
	// permanent error needs somebody to correct the configuration, or the broker's.
	Dial func(ctx context.Context, to Remote) (Publisher, error)
}

// Limits bound one delivery. It leaves when it has Rows rows or about Bytes bytes, or its oldest row is Age old.
type Limits struct {
	Rows  int
	Bytes int64
	Age   time.Duration
}
