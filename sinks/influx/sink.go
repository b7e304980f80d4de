package influx

import (
	"context"
	"fmt"

	"edged"
	"edged/sinks/post"
	"edged/sinks/spec"

	"github.com/VictoriaMetrics/metrics"
)

// sink implements edged.Sink. It has no receipt: what was answered is done.
type sink struct {
	config   *Config
	env      spec.Env
	poster   *post.Poster
	body     []byte // scratch: one request's
	empty    *metrics.Counter
	saidOnce bool
}

func newSink(c *Config, env spec.Env) *sink {
	o := post.Options{
		Config: &c.Config, Env: env, Kind: "influx", URL: c.address(), Type: "text/plain; charset=utf-8", Scheme: c.scheme(), Remedy: c.remedy,
	}
	return &sink{
		config: c, env: env, poster: post.New(o),
		empty: env.Metrics.GetOrCreateCounter(fmt.Sprintf("edged_sink_influx_rows_without_field_total{sink=%q}", env.Name)),
	}
}

// Open reads the certificates. It does not connect: a server that is away is met by the first Write.
func (s *sink) Open(ctx context.Context, _ []byte, _ []edged.Delivery) error {
	return s.poster.Open(ctx)
}

// Close closes the connection.
func (s *sink) Close() error {
	s.poster.Close()
	return nil
}

// Write sends one request a delivery, in order, up to the first that is not taken.
func (s *sink) Write(ctx context.Context, turn []edged.Delivery) (int, []byte, error) {
	for i := range turn {
		if err := s.write(ctx, &turn[i]); err != nil {
			return i, nil, err
		}
	}
	return len(turn), nil, nil
}

// write makes one attempt at one delivery. Rows without a field are counted when the others were taken: they are done, and no server
// could take them. A delivery of which nothing is left is done without a request.
func (s *sink) write(ctx context.Context, d *edged.Delivery) error {
	if err := ctx.Err(); err != nil || d.Rows.Len() == 0 {
		return err
	}
	empty, err := s.encode(d.Rows)
	if err != nil {
		return err
	}
	if len(s.body) > 0 {
		if err := s.poster.Post(ctx, d.Key, s.body); err != nil {
			return err
		}
	}
	if empty > 0 {
		s.empty.Add(empty)
		if !s.saidOnce {
			s.saidOnce = true
			s.env.Log.Warn("rows have no field and are not written: every column of them is a tag or missing; they are counted", "sink", s.env.Name, "stream", d.Rows.Stream)
		}
	}
	return nil
}

// encode makes the body of a request, and counts the rows that are not in it.
func (s *sink) encode(rows *edged.Rows) (empty int, err error) {
	s.body = s.body[:0]
	l, err := newLines(s.config, rows)
	if err != nil {
		return 0, err
	}
	for i := range rows.Len() {
		var written bool
		if s.body, written, err = l.append(s.body, i); err != nil {
			return 0, err
		}
		if !written {
			empty++
		}
	}
	return empty, nil
}
