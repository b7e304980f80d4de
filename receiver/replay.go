package receiver

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/internal/topic"

	"github.com/valyala/fastjson"
)

// Replay is the kind replay: messages from an NDJSON file, such as the file of a raw stream. It is for tests and
// demonstrations: it begins at the first line at every start of edged.
//
// A line {"mark":"batch"} says where a batch ends, so that what a test shows does not depend on when blocks were cut: its turn
// comes when everything before it is stored, and the Handler is told of it, if it is a Marker.
type Replay struct {
	Path     string        `toml:"path" doc:"NDJSON file, relative to data_dir; a line is {\"topic\":\"a/b\",\"payload\":…}; a payload that is a JSON string is sent as its text, other JSON as it is, payload_base64 as bytes. A line {\"mark\":\"batch\"} ends a batch: what follows it is sent when everything before it is stored, and is never in a block with it"`
	Interval conf.Duration `toml:"interval" doc:"time between two messages; \"\" is as fast as they are taken"`
	Repeat   bool          `toml:"repeat" doc:"begin again after the last line"`
}

// Fields implements Config.
func (r *Replay) Fields() []any { return []any{r} }

// Check implements Config.
func (r *Replay) Check(t *conf.Table, env Env) {
	if r.Path == "" {
		t.Errorf("path", "[%s] needs path, the NDJSON file to replay", t.Title())
		return
	}
	if r.Path = inDir(env.DataDir, r.Path); !readable(r.Path) {
		t.Placef("path", "path: %s cannot be read", r.Path)
	}
	if r.Interval < 0 {
		t.Errorf("interval", "interval: it cannot be negative")
	}
}

func inDir(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func readable(path string) bool {
	f, err := os.Open(path)
	if err == nil {
		f.Close()
	}
	return err == nil
}

// Covers implements Config: a file may hold any topic.
func (r *Replay) Covers() []string { return []string{"#"} }

// New implements Config.
func (r *Replay) New(env Env) edged.Receiver { return &replay{*r, env.Log} }

type replay struct {
	Replay
	log *slog.Logger
}

// Run sends the file once, or for ever.
func (r *replay) Run(ctx context.Context, h edged.Handler) error {
	for {
		n, err := r.once(ctx, h)
		if err != nil || !r.Repeat || ctx.Err() != nil {
			return err
		}
		if n == 0 {
			return edged.WithClass(fmt.Errorf("%s has no message to repeat", r.Path), edged.Permanent)
		}
	}
}

func (r *replay) once(ctx context.Context, h edged.Handler) (sent int, err error) {
	f, err := os.Open(r.Path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 64<<10)
	var p fastjson.Parser
	stored := patientTally{newTally()}
	left := leftOut{}
	for line := 1; ; line++ {
		text, err := in.ReadBytes('\n')
		if len(text) > 1 {
			m, perr := parseReplay(&p, text)
			switch {
			case perr != nil:
				left.add(line, perr)
			case m == nil:
				if err := mark(ctx, h, stored.tally, sent); err != nil {
					return sent, err
				}
			default:
				if err := h.Take(ctx, m, stored, 0); err != nil {
					return sent, err
				}
				sent++
			}
			if r.Interval > 0 && m != nil {
				select {
				case <-ctx.Done():
				case <-time.After(r.Interval.D()):
				}
			}
		}
		if err != nil || ctx.Err() != nil {
			if left.err != nil {
				r.log.Warn("replay: lines that are no message were left out", "file", r.Path, "error", left.err)
			}
			if err == io.EOF {
				err = nil
			}
			return sent, err
		}
	}
}

// mark waits until everything that was sent is stored, and says that a batch ends.
func mark(ctx context.Context, h edged.Handler, stored *tally, sent int) error {
	if err := stored.wait(ctx, sent); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("what came before a mark could not be stored: %w", err)
	}
	if m, ok := h.(Marker); ok {
		m.Mark()
	}
	return nil
}

// leftOut gathers what is said of lines that are no message.
type leftOut struct {
	lines int
	err   error
}

func (l *leftOut) add(line int, err error) {
	if l.lines++; l.lines == 1 {
		l.err = fmt.Errorf("line %d: %w", line, err)
		return
	}
	l.err = fmt.Errorf("%d lines, the last one %d: %w", l.lines, line, err)
}

// parseReplay reads one line. The message is nil for a mark, else valid until the next call with the same parser.
func parseReplay(p *fastjson.Parser, line []byte) (*edged.Message, error) {
	v, err := p.ParseBytes(line)
	if err != nil {
		return nil, err
	}
	if mark := v.GetStringBytes("mark"); mark != nil || v.Exists("mark") {
		if string(mark) != "batch" {
			return nil, errors.New(`the only mark there is: {"mark":"batch"}`)
		}
		return nil, nil
	}
	return replayed(v)
}

// replayed reads the message in a line.
func replayed(v *fastjson.Value) (m *edged.Message, err error) {
	m = &edged.Message{Topic: string(v.GetStringBytes("topic"))}
	if err := topic.CheckName(m.Topic); err != nil {
		return nil, fmt.Errorf("topic %q: %w", m.Topic, err)
	}
	switch payload := v.Get("payload"); {
	case payload == nil:
		m.Payload, err = base64.StdEncoding.DecodeString(string(v.GetStringBytes("payload_base64")))
		if err != nil || !v.Exists("payload_base64") {
			return nil, errors.New("it has neither payload nor payload_base64")
		}
	case payload.Type() == fastjson.TypeString:
		m.Payload = payload.GetStringBytes()
	default:
		m.Payload = payload.MarshalTo(nil)
	}
	return m, nil
}
