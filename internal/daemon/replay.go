package daemon

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"edged"
	"edged/batches"
	"edged/configs"
	"edged/internal/conf"
)

// Replayed is a line of the answer to edged replay: how far it is, and at its end what it has done.
type Replayed struct {
	batches.Replayed
	Sinks  []string  `json:"sinks"`
	First  time.Time `json:"first"` // what is stored
	Last   time.Time `json:"last"`
	Waits  string    `json:"waits,omitempty"`  // for what
	Missed bool      `json:"missed,omitempty"` // what is asked for begins before what is stored, and something was before that
}

// replay is one that somebody asked for.
type replay struct {
	d     *Daemon
	s     *stream
	c     configs.Stream
	sinks []configs.Sink
	log   string
	o     batches.ReplayOptions
	put   func(StoreLine) error
	did   Replayed
	said  time.Time
}

// serveReplay gives rows of stored messages once more (docs/adr/0021-side-logs.md). The answer is made as it goes.
func (d *Daemon) serveReplay(w http.ResponseWriter, r *http.Request) {
	if fromBrowser(w, r) {
		return
	}
	p, err := d.newReplay(r.URL.Query(), time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	if _, busy := d.replays.LoadOrStore(p.c.Name, p); busy {
		http.Error(w, fmt.Sprintf("stream %s is being replayed already; one replay at a time", p.c.Name), http.StatusConflict)
		return
	}
	defer d.replays.Delete(p.c.Name)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() {
		select {
		case <-d.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	answerLines(w, func(put func(StoreLine) error) error {
		p.put = put
		return p.run(ctx)
	})
}

// newReplay reads what is asked for, and finds out whether it can be done.
func (d *Daemon) newReplay(q url.Values, now time.Time) (*replay, error) {
	parts, name := d.now(), q.Get("stream")
	p := &replay{d: d, s: parts.stream(name), log: edged.SideLog(name, edged.Replay)}
	var names []string
	for _, c := range parts.c.Streams {
		if names = append(names, c.Name); c.Name == name {
			p.c = c
		}
	}
	if p.s == nil {
		return nil, fmt.Errorf("there is no [stream.%s]%s", name, conf.Suggest(name, names))
	}
	var err error
	if p.sinks, err = sinksNamed(parts.c, name, q["sink"]); err != nil {
		return nil, err
	}
	if len(p.sinks) == 0 {
		return nil, fmt.Errorf("stream %s has no sinks that its rows could be given to once more; streams that take from it get nothing of a replay", name)
	}
	p.o = batches.ReplayOptions{
		Config: p.c.StreamConfig, Plan: p.c.Plan, Store: d.store, End: p.s.Status().Position, Dry: q.Get("dry") != "", Entry: replayEntry, Wait: p.wait, Said: p.say,
	}
	if table := parts.c.Table(p.c.Joined()); table != nil {
		p.o.Table = func() (*edged.Message, error) { return table.Message(p.c.Joined()) }
	}
	for _, k := range p.sinks {
		p.o.Sinks = append(p.o.Sinks, k.Name)
		p.o.Entry = int(min(int64(p.o.Entry), p.behind(k)))
	}
	if p.o.From, err = Moment(q.Get("from"), now); err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	if to := q.Get("to"); to != "" {
		if p.o.To, err = Moment(to, now); err != nil {
			return nil, fmt.Errorf("--to: %w", err)
		}
		if !p.o.From.Before(p.o.To) {
			return nil, fmt.Errorf("nothing lies between %s and %s", moment(p.o.From), moment(p.o.To))
		}
	}
	p.did.Sinks = p.o.Sinks
	return p, p.stored()
}

const (
	replayEntry  = 256 << 10 // bytes of rows that are appended at once
	replayBehind = 4 << 20   // bytes by which a sink may be behind before the replay waits for it
)

// behind is by how much a sink may be behind: what is appended then stays well below its max_pending, at which it would drop rows.
func (p *replay) behind(k configs.Sink) int64 {
	return min(replayBehind, k.Common.MaxPending.Or(p.d.half())/4)
}

// stored refuses a time of which nothing is stored.
func (p *replay) stored() error {
	begins, first, last, ok, err := batches.Stored(p.d.store, p.c.Plan)
	oldest, oerr := p.d.store.Oldest()
	switch err = cmp.Or(err, oerr); {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("no message of stream %s is stored: what was delivered is kept for store.keep, %v", p.c.Name, p.d.now().c.Store.Keep)
	case p.o.End == 0:
		return fmt.Errorf("stream %s is not open yet", p.c.Name)
	case !p.o.To.IsZero() && !p.o.To.After(first) && (oldest <= 1 || p.o.To.After(begins)):
		return fmt.Errorf("no message of stream %s that is stored came before %s", p.c.Name, moment(first))
	case !p.o.To.IsZero() && !p.o.To.After(first):
		return fmt.Errorf("nothing from before %s is stored any more: what was delivered is kept for store.keep, %v, and longer where a delivery waits", moment(first), p.d.now().c.Store.Keep)
	case p.o.From.After(last):
		return fmt.Errorf("nothing from %s on is stored yet: the last of it is of %s", moment(p.o.From), moment(last))
	}
	p.did.First, p.did.Last, p.did.Missed = first, last, oldest > 1 && p.o.From.Before(begins)
	return nil
}

// sinksNamed are the sinks of a stream, or those of them that are named.
func sinksNamed(c *configs.Config, stream string, named []string) (out []configs.Sink, err error) {
	var names []string
	for _, k := range c.Sinks {
		if !slices.Contains(k.Streams, stream) {
			continue
		}
		if names = append(names, k.Name); len(named) == 0 || slices.Contains(named, k.Name) {
			out = append(out, k)
		}
	}
	for _, n := range named {
		if !slices.Contains(names, n) {
			return nil, fmt.Errorf("--sink: sink %s does not take stream %s%s; its sinks are %s", n, stream, conf.Suggest(n, names), strings.Join(names, ", "))
		}
	}
	return out, nil
}

// Moment reads a time, or how long ago it was: 10m, or -10m.
func Moment(text string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	d, err := conf.ParseDuration(strings.TrimPrefix(text, "-"))
	if err != nil || text == "" || d < 0 {
		return now, fmt.Errorf("%q is no time such as 2026-01-02T15:04:05Z, and no duration such as 10m", text)
	}
	return now.Add(-d).UTC(), nil
}

func moment(at time.Time) string { return at.UTC().Format(time.RFC3339) }
