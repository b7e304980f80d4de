package custom

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"edged"
	"edged/batches"
	"edged/blockstore"
	"edged/internal/clock"
	"edged/internal/conf"
	"edged/receiver"
	"edged/test/await"

	"github.com/VictoriaMetrics/metrics"
)

// open admits everything: there is no sink that holds anything up.
type open struct{}

func (open) Closed(_, _ string) <-chan struct{} { return nil }

// A file becomes a message, is stored, is counted in a window, and is removed.
func TestTheWayOfAFile(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	store, err := blockstore.Open(t.TempDir(), blockstore.Default(), log, metrics.NewSet())
	if err != nil {
		t.Fatal(err)
	}

	// A stream over what the receiver named spool brings, as a [stream.NAME] table would say it.
	c := batches.DefaultStream()
	c.Name, c.From, c.Topics = "sums", []string{"spool"}, []string{"spool/+"}
	c.GroupBy = conf.Pairs{{Key: "device", Value: "device"}}
	c.Window = "tumbling 500ms"
	c.Aggregate = conf.Pairs{{Key: "n", Value: "count()"}, {Key: "total", Value: "sum(value)"}}
	plan, problems := batches.Compile(c)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	stream := batches.New(batches.Options{Config: c, Plan: plan, Store: store, Log: log, Interval: 50 * time.Millisecond, Checkpoint: time.Second})
	store.SetRouter(batches.NewRouter([]*batches.Plan{plan}))
	store.AddRider(stream)

	// The receiver, with its generator and its supervisor, as the gateway puts them together.
	dir := t.TempDir()
	spool := &Spool{Dir: dir, Topic: "spool/1", Every: 5 * time.Millisecond}
	generator := receiver.New(receiver.Options{
		Name: "spool", Block: *receiver.DefaultBlock(), MinRate: float64(receiver.DefaultMinRate), Batch: time.Second,
		Clock: clock.New(store.LastInstant()), Trusted: func() bool { return true }, Store: store, Admission: open{}, Log: log,
	})
	store.AddSource("spool", blockstore.MemoryAndDisk, generator)
	supervisor := receiver.NewSupervisor("spool", spool, generator, log)

	stopStore := start(t, store.Run)
	stopStream := start(t, stream.Run)
	stopReceiver := start(t, supervisor.Run)
	for i := range 20 {
		put(t, dir, i, fmt.Sprintf(`{"device":"d%d","value":%d}`, i%2, i))
	}
	await.Soon(t, "every reading is in a window", func() bool { return results(t, stream)["d0 n"]+results(t, stream)["d1 n"] == 20 })
	await.Soon(t, "every file is removed", func() bool { return left(t, dir) == 0 })
	if got := results(t, stream); got["d0 total"] != 90 || got["d1 total"] != 100 {
		t.Errorf("%v", got)
	}
	stopReceiver()
	stopStream()
	stopStore()
}

// start runs a part until it is stopped.
func start(t *testing.T, part func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- part(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// results adds up the rows of the stream's windows, as a sink would read them.
func results(t *testing.T, s *batches.Stream) map[string]float64 {
	t.Helper()
	sums := map[string]float64{}
	feed := s.Feed()
	at, err := feed.Oldest()
	if err != nil {
		return sums // it is not open yet
	}
	for more := true; more; {
		r, err := feed.Read(at, edged.Place{}, edged.Limits{Rows: 1000, Bytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Rows.Len() {
			device := ""
			for k, v := range r.Rows.Row(i) {
				switch name := r.Rows.Names[k]; name {
				case "device":
					device = v.Str()
				case "n", "total":
					f, _ := v.Float()
					sums[device+" "+name] += f
				}
			}
		}
		more = r.To != at
		at = r.To
	}
	return sums
}
