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
type Replay struct {
	Path     string        `toml:"path" doc:"NDJSON file, relative to data_dir; a line is {\"topic\":\"a/b\",\"payload\":…}; a payload that is a JSON string is sent as its text, other JSON as it is, payload_base64 as bytes"`
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
	var bad error
	skipped := 0
	for line := 1; ; line++ {
		text, err := in.ReadBytes('\n')
		if len(text) > 1 {
			m, perr := parseReplay(&p, text)
			if perr != nil {
				skipped++
				bad = errors.Join(bad, fmt.Errorf("line %d: %w", line, perr))
				if skipped > 1 {
					bad = fmt.Errorf("%d lines, the last one %d: %w", skipped, line, perr)
				}
			} else if terr := h.Take(ctx, m, nil, 0); terr != nil {
				return sent, terr
			} else {
				sent++
			}
			if r.Interval > 0 {
				select {
				case <-ctx.Done():
				case <-time.After(r.Interval.D()):
				}
			}
		}
		if err != nil || ctx.Err() != nil {
			if bad != nil {
				r.log.Warn("replay: lines that are no message were left out", "file", r.Path, "error", bad)
			}
			if err == io.EOF {
				err = nil
			}
			return sent, err
		}
	}
}

// parseReplay reads one line. The message is valid until the next call with the same parser.
func parseReplay(p *fastjson.Parser, line []byte) (*edged.Message, error) {
	v, err := p.ParseBytes(line)
	if err != nil {
		return nil, err
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
