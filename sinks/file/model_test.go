package file

import (
	"fmt"
	"log/slog"

	"edged"
	"edged/sinks/encode"
	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
)

// scenario is everything that a run of the model depends on, except where it is hit.
type scenario struct {
	seed       uint64
	options    options
	before     string // what the file holds before edged first starts
	deliveries []edged.Delivery
	turns      []int   // how many deliveries the turns take, in rotation
	late       bool    // closed files are looked after some time later, not at once
	first      trouble // at operation k
	second     trouble // at operation k+after
	after      int
	reopen     bool // after an error the gateway closes and opens the sink; else it calls Write again
	sabotage   sabotage
}

// sabotage breaks what the promise rests on, to show that the test sees it.
type sabotage struct {
	syncLies    bool // Sync of a file does nothing
	syncDirLies bool
	noRedo      bool // Open is not told of the turn that was not committed
	skipCommits bool // receipts that come without a delivery are not committed
}

// world is what outlives a gateway: the file system and the store.
type world struct {
	scenario
	fs      *memfs
	env     spec.Env
	receipt []byte
	done    int // deliveries
	turn    int // deliveries in the committed range
	nth     int // turn
	errors  int
}

func quiet() spec.Env { return envWith(slog.New(slog.DiscardHandler)) }

func envWith(log *slog.Logger) spec.Env {
	return spec.Env{Name: "archive", DataDir: "/d", Log: log, Metrics: metrics.NewSet()}
}

// run runs the scenario with its trouble at operation k, counted over file system and store. It reports whether there was
// an operation k, and what is wrong in the end.
func (sc scenario) run(t tester, k int) (reached bool, wrong error) {
	w := &world{scenario: sc, fs: newMemfs(sc.seed + uint64(k)), env: quiet()}
	w.fs.place("raw.ndjson", sc.before)
	w.fs.syncLies, w.fs.syncDirLies = sc.sabotage.syncLies, sc.sabotage.syncDirLies
	w.fs.trouble = func(op int) trouble {
		reached = reached || op == k
		switch op {
		case k:
			return sc.first
		case k + sc.after:
			return sc.second
		}
		return none
	}
	for lives := 0; ; lives++ {
		ended, err := w.life(t)
		if err == nil && lives > 5 {
			err = fmt.Errorf("it crashes without end")
		}
		if err != nil {
			return reached, err
		}
		if ended {
			return reached, w.check(t)
		}
	}
}

// life runs one gateway until everything is delivered (true) or it crashes (false).
func (w *world) life(t tester) (ended bool, wrong error) {
	defer func() {
		if v := recover(); v != nil {
			if _, ok := v.(crash); !ok {
				panic(v)
			}
			w.fs.restart()
		}
	}()
	s, due := w.sink(t)
	open := false
	for w.done < len(w.deliveries) {
		if !open {
			if err := s.Open(t.Context(), w.receipt, w.redo()); err != nil {
				if err := w.failed(err); err != nil {
					return false, err
				}
				continue
			}
			open = true
		}
		w.turn = max(w.turn, min(w.turns[w.nth%len(w.turns)], len(w.deliveries)-w.done))
		done, receipt, err := s.Write(t.Context(), w.deliveries[w.done:w.done+w.turn])
		w.commit(receipt, done)
		if err != nil {
			if err := w.failed(err); err != nil {
				return false, err
			}
			if w.reopen {
				s.Close()
				open = false
			}
		}
		if *due && w.fs.dice.IntN(3) == 0 {
			*due = false
			s.closet.tidy(t.Context())
		}
	}
	return true, s.Close()
}

// sink makes a sink whose work on closed files is done when it is due, or some time later, but in this goroutine.
func (w *world) sink(t tester) (s *sink, due *bool) {
	s, due = newSink(w.options, w.fs, w.env), new(bool)
	s.tend, s.rest = func() { s.closet.tidy(t.Context()) }, func() {}
	if w.late {
		s.tend = func() { *due = true }
	}
	return s, due
}

func (w *world) redo() []edged.Delivery {
	if w.sabotage.noRedo {
		return nil
	}
	return w.deliveries[w.done : w.done+w.turn]
}

// commit is one transaction of the store: it happens, or there is a crash before it. That it fails is not the subject.
func (w *world) commit(receipt []byte, done int) {
	for w.fs.step(nothing) != nil {
	}
	if receipt != nil && !(w.sabotage.skipCommits && done == 0) {
		w.receipt = receipt
	}
	w.done += done
	if w.turn -= done; w.turn == 0 {
		w.nth++
	}
}

// failed bounds how often a gateway may meet errors: there are two at most, and what follows from them.
func (w *world) failed(err error) error {
	if w.errors++; w.errors > 6 {
		return fmt.Errorf("it does not recover: %w", err)
	}
	return nil
}

// check opens the sink once more without trouble, lets it finish what is due, and compares.
func (w *world) check(t tester) error {
	w.fs.trouble, w.late = func(int) trouble { return none }, false
	s, _ := w.sink(t)
	if err := s.Open(t.Context(), w.receipt, nil); err != nil {
		return err
	}
	s.Close()
	want := w.before
	for _, d := range w.deliveries {
		if w.options.csv {
			want += string(encode.AppendCSV(nil, d.Rows))
		} else {
			want += string(encode.AppendNDJSON(nil, d.Rows))
		}
	}
	got, err := everything(w.fs, s)
	if err == nil && got != want {
		err = fmt.Errorf("the generations hold\n%s\nwant\n%s", got, want)
	}
	if err != nil {
		return fmt.Errorf("%w\nfiles:\n%v", err, w.fs)
	}
	return nil
}
