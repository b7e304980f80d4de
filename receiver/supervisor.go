package receiver

import (
	"context"
	"log/slog"

	"edged"
	"edged/internal/supervise"
)

// Supervisor runs one receiver and its generator (Spark: ReceiverSupervisor).
type Supervisor struct {
	Receiver  edged.Receiver
	Generator *Generator
	Part      supervise.Part
	Log       *slog.Logger
}

// NewSupervisor names the part "receiver NAME".
func NewSupervisor(name string, r edged.Receiver, g *Generator, log *slog.Logger) *Supervisor {
	return &Supervisor{Receiver: r, Generator: g, Log: log, Part: supervise.Part{Name: "receiver " + name}}
}

// Run runs the generator, and the receiver as often as its errors ask for. When ctx ends it stops the receiver, then the
// generator, which drains. A receiver that has ended or cannot work leaves the generator running: its time still passes,
// so that no window waits for it.
func (s *Supervisor) Run(ctx context.Context) error {
	genCtx, stopGen := context.WithCancel(context.WithoutCancel(ctx))
	defer stopGen()
	drained := make(chan error, 1)
	go func() { drained <- s.Generator.Run(genCtx) }()
	_ = s.Part.Run(ctx, s.Log, func(ctx context.Context) error { return s.Receiver.Run(ctx, s.Generator.Handler()) }) // logged and shown by Part
	<-ctx.Done()
	stopGen()
	return <-drained
}
