package exec

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	osexec "os/exec"
	"syscall"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/sinks/encode"
	"edged/sinks/spec"
)

// sink implements edged.Sink. It has no receipt: what was answered is done.
type sink struct {
	config *Config
	env    spec.Env
	log    *slog.Logger
	meters *meters
	ledger ledger
	run    *program // nil: none is running

	objects encode.Objects
	lines   []byte // scratch: a delivery's
	ends    []int  // scratch: of each of them
	given   []byte // scratch: those without an answer, if not all
	open    []int  // scratch: which these are
}

func newSink(c *Config, env spec.Env) *sink {
	return &sink{config: c, env: env, log: env.Log.With("sink", env.Name), meters: newMeters(env), ledger: ledger{seed: maphash.MakeSeed()}}
}

// Open starts nothing: a program that cannot be started is met by the first Write.
func (s *sink) Open(ctx context.Context, _ []byte, _ []edged.Delivery) error { return ctx.Err() }

// Write gives the deliveries to the program, one at a time, up to the first that is not taken.
func (s *sink) Write(ctx context.Context, turn []edged.Delivery) (int, []byte, error) {
	for i := range turn {
		if err := s.deliver(ctx, turn[i].Rows); err != nil {
			return i, nil, err
		}
	}
	return len(turn), nil, nil
}

// Close ends the program: the end of its input, SIGTERM after a second, SIGKILL after two more, to all of its group.
func (s *sink) Close() error {
	if s.run != nil {
		s.run.end()
		s.run = nil
	}
	return nil
}

// deliver gives the rows of a delivery that have no answer yet.
func (s *sink) deliver(ctx context.Context, rows *edged.Rows) error {
	if err := ctx.Err(); err != nil || rows.Len() == 0 {
		return err
	}
	s.encode(rows)
	entries := s.ledger.of(rows, s.lines, s.ends)
	lines := s.unanswered(entries)
	var wait error
	if len(s.open) > 0 {
		if err := s.ready(); err != nil {
			return err
		}
		err := s.run.exchange(ctx, lines, len(s.open), s.config.Timeout.D(), func(i int, v verdict, text string) {
			s.meters.answer(v)
			if v == later {
				wait = errors.Join(wait, s.again(text, wait != nil))
				return
			}
			e := &entries[s.open[i]]
			e.said, e.text = v, text
		})
		if err != nil {
			if s.run.over {
				s.run = nil
			}
			if edged.ClassOf(err) == edged.Permanent { // it does not keep to the protocol: nothing that it has said counts
				for _, i := range s.open {
					entries[i].said = unanswered
				}
			}
			return err
		}
	}
	if wait != nil {
		return wait
	}
	for i := range entries {
		if entries[i].said == poison {
			return edged.WithClass(edged.Explain(fmt.Errorf("%s refuses it%s", s.config.name(), colon(entries[i].text)), "refused"+colon(entries[i].text), ""), edged.Poison)
		}
	}
	return nil
}

// again is the error of a row that is to come again; the first one says it for all.
func (s *sink) again(text string, said bool) error {
	if said {
		return nil
	}
	return edged.Explain(fmt.Errorf("%s asks for rows again later%s", s.config.name(), colon(text)), "retry"+colon(text), "look at what the program needs")
}

func colon(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// encode makes the lines of a delivery.
func (s *sink) encode(rows *edged.Rows) {
	s.lines, s.ends = s.lines[:0], s.ends[:0]
	s.objects.Reset(rows)
	defer s.objects.Reset(nil)
	for i := range rows.Len() {
		s.lines = append(s.objects.Append(s.lines, i), '\n')
		s.ends = append(s.ends, len(s.lines))
	}
}

// unanswered returns the lines of the rows without an answer, and lists them in s.open.
func (s *sink) unanswered(entries []entry) []byte {
	s.open = s.open[:0]
	for i := range entries {
		if entries[i].said == unanswered {
			s.open = append(s.open, i)
		}
	}
	if len(s.open) == len(entries) {
		return s.lines
	}
	s.given = s.given[:0]
	for _, i := range s.open {
		from := 0
		if i > 0 {
			from = s.ends[i-1]
		}
		s.given = append(s.given, s.lines[from:s.ends[i]]...)
	}
	return s.given
}

// ready has a program running that owes no answer.
func (s *sink) ready() error {
	if s.run != nil {
		select {
		case <-s.run.gone:
			s.log.Info("the sink's program ended when it had nothing to do; it is started again", "status", s.run.Fate())
			_ = s.Close()
		default:
			if !s.run.spoiled {
				return nil
			}
			_ = s.Close()
		}
	}
	path, err := s.config.look(s.env.DataDir)
	if err != nil {
		return s.unstarted(err, s.config.missing(s.env.DataDir, err))
	}
	cmd := &osexec.Cmd{Path: path, Args: s.config.Command, Dir: below(s.env.DataDir, s.config.Dir), Env: s.config.environ(s.env.Name)}
	run, err := start(cmd, s.config.name(), newSaid(s.log))
	if err != nil {
		return s.unstarted(err, fmt.Sprintf("%s cannot be started: %v", path, err))
	}
	s.run = run
	s.meters.starts.Inc()
	return nil
}

// unstarted is the error of a program that cannot be started: what is missing is for a person, a lack of memory or of
// processes passes.
func (s *sink) unstarted(err error, why string) error {
	out := edged.Explain(fmt.Errorf("command: %s; its rows wait in the store", why), why, "check command and dir")
	for _, lack := range []error{fs.ErrNotExist, fs.ErrPermission, osexec.ErrNotFound, syscall.ENOEXEC, syscall.ENOTDIR} {
		if errors.Is(err, lack) {
			return edged.WithClass(out, edged.Permanent)
		}
	}
	return out
}

func short(d time.Duration) string { return conf.Duration(d).String() }
