package broker

import (
	"context"
	"log/slog"
)

// demoted takes what the library logs: everything at debug level, because what the user must know is said by us; and
// without packets, which carry payloads and passwords.
type demoted struct{ to slog.Handler }

func (d demoted) Enabled(ctx context.Context, _ slog.Level) bool {
	return d.to.Enabled(ctx, slog.LevelDebug)
}

func (d demoted) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, slog.LevelDebug, "mqtt library: "+r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "pk" && a.Key != "packet" && a.Key != "will" {
			out.AddAttrs(a)
		}
		return true
	})
	return d.to.Handle(ctx, out)
}

func (d demoted) WithAttrs(as []slog.Attr) slog.Handler { return demoted{d.to.WithAttrs(as)} }

func (d demoted) WithGroup(name string) slog.Handler { return demoted{d.to.WithGroup(name)} }
