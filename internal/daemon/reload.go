package daemon

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"edged/configs"
)

// Report is what became of a reload.
type Report struct {
	Lines    []string // what changed; of a reload that was done
	Problems []string // why it was refused: mistakes with their places, or a sentence. Nothing has changed then
}

// failedReload is the last reload that was refused.
type failedReload struct {
	sum      [sha256.Size]byte // of the text
	at       time.Time
	problems []string
}

// Reload has the gateway read its configuration again, and every part the files that it names, as on SIGHUP. It does not wait for it, and
// can be called from any goroutine, before Run, too. What cannot be used is logged, and what ran before goes on.
func (d *Daemon) Reload() {
	select {
	case d.hangups <- struct{}{}:
	default: // one waits already
	}
}

// ReloadNow is Reload that waits. One reload is done after the other. If ctx ends, it is done all the same.
func (d *Daemon) ReloadNow(ctx context.Context) Report {
	ask := make(chan Report, 1)
	select {
	case d.asks <- ask:
	case <-d.over:
		return refused(errStopping)
	case <-ctx.Done():
		return refused(ctx.Err())
	}
	select {
	case r := <-ask:
		return r
	case <-ctx.Done():
		return refused(fmt.Errorf("it is under way, and not over yet (%w)", ctx.Err()))
	}
}

var errStopping = errors.New("the gateway is stopping")

func refused(err error) Report { return Report{Problems: []string{err.Error()}} }

// serveReloads does what is asked for, one after the other, until ctx ends.
func (d *Daemon) serveReloads(ctx context.Context) error {
	defer close(d.over)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-d.hangups:
			d.reload(ctx, "SIGHUP")
		case ask := <-d.asks:
			ask <- d.reload(ctx, "edged reload")
		}
	}
	return nil
}

func (d *Daemon) reload(ctx context.Context, why string) Report {
	d.changes.Lock()
	defer d.changes.Unlock()
	notifyReloading()
	r := d.loadAgain(ctx, why)
	d.files.All()
	for _, in := range d.now().inputs {
		in.files.All()
	}
	if ctx.Err() == nil {
		NotifyReady()
	}
	for _, p := range r.Problems {
		d.log.Error("the configuration is not taken over: what ran before goes on", "why", why, "problem", p)
	}
	return r
}

// loadAgain reads the configuration and takes it into use, or says why not.
func (d *Daemon) loadAgain(ctx context.Context, why string) Report {
	if d.o.Read == nil {
		return Report{Problems: []string{"this gateway has no configuration file; the other files that it uses are read again"}}
	}
	file, text, err := d.o.Read()
	if err != nil {
		return refused(err)
	}
	sum := sha256.Sum256(text)
	refuse := func(problems []string) Report {
		d.failed.Store(&failedReload{sum, time.Now(), problems})
		return Report{Problems: problems}
	}
	next, problems, _ := configs.Load(file, text)
	if len(problems) > 0 {
		var lines []string
		for _, p := range problems {
			lines = append(lines, p.String())
		}
		return refuse(lines)
	}
	old := d.now()
	diff := differ(old.c, next, old.stopped)
	if len(diff.restart) > 0 {
		return refuse([]string{fmt.Sprintf("%s: %s can change only with a restart (systemctl restart edged); nothing of the file is taken over", file, strings.Join(diff.restart, ", "))})
	}
	began := time.Now()
	if err = d.exchange(ctx, next, diff, sum); err != nil {
		if ctx.Err() != nil {
			return refused(errStopping)
		}
		select {
		case d.halfway <- err:
		default:
		}
		return refused(fmt.Errorf("%w; edged ends, so that the next start takes the configuration into use", err))
	}
	d.failed.Store(nil)
	r := Report{Lines: diff.lines()}
	defer d.apply(next, diff)
	d.log.Info("the configuration was loaded again", "file", file, "why", why, "changes", strings.Join(r.Lines, "; "), "after", time.Since(began).Round(time.Millisecond))
	return r
}

// apply changes what belongs to no part.
func (d *Daemon) apply(c *configs.Config, diff *difference) {
	if d.o.Level != nil {
		_ = d.o.Level.UnmarshalText([]byte(c.Log.Level)) // checked when it was loaded
	}
	if len(diff.live) > 0 {
		limitMemory(c.MemoryLimit)
	}
}

// lines say what changed.
func (d *difference) lines() (out []string) {
	unchanged := 0
	for _, c := range d.changes {
		if c.verb == same {
			if c.String() != "dead_letters" {
				unchanged++
			}
			continue
		}
		line := c.partOf.String() + ": " + verbs[c.verb]
		if c.why != "" {
			line += " (" + c.why + ")"
		}
		if c.verb == removed && (c.kind == "stream" || c.kind == "sink") {
			line += "; where it was is kept (edged store forget " + c.name + " gives it up)"
		}
		out = append(out, line)
	}
	out = append(out, d.live...)
	if len(out) == 0 {
		out = append(out, "nothing has changed")
	}
	return append(out, fmt.Sprintf("unchanged: %d", unchanged))
}
