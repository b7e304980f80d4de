package daemon

import (
	"context"
	"fmt"
	"time"

	"edged/blockstore"

	"github.com/coreos/go-systemd/v22/daemon"
)

// How long a part may take before the gateway counts as stuck. WatchdogSec=60 in the unit is longer than both.
const (
	commitLimit = 45 * time.Second // one commit, on a slow card
	roundLimit  = 45 * time.Second // the committer, a stream or a sink since it last came round
)

// Healthy reports what is stuck. Progress is what counts: a gateway that is alive and moves nothing is not healthy.
func (d *Daemon) Healthy() error {
	if d.state.Load() != started {
		return nil
	}
	p := progress{started: d.started, store: d.store.Progress()}
	now := d.now()
	for _, s := range now.streams {
		p.parts = append(p.parts, round{"stream " + s.Name(), s.part.State().State == "running", s.LastRound()})
	}
	for _, w := range now.writers {
		p.parts = append(p.parts, round{"sink " + w.Name(), w.part.State().State == "running", w.LastRound()})
	}
	return p.stuck(time.Now())
}

// progress is when everything that moves data last came round.
type progress struct {
	started time.Time
	store   blockstore.Progress
	parts   []round
}

type round struct {
	name    string
	running bool // it is not waiting to be tried again
	last    time.Time
}

// stuck returns what has not come round in time. A part that waits for a commit is excused as long as the commit itself is.
func (p progress) stuck(now time.Time) error {
	since := func(t time.Time) time.Duration {
		if t.Before(p.started) {
			t = p.started
		}
		return now.Sub(t)
	}
	if from := p.store.CommitFrom; !from.IsZero() {
		if d := since(from); d > commitLimit {
			return fmt.Errorf("a commit has been under way for %v", d.Round(time.Second))
		}
		return nil
	}
	if d := since(p.store.LastRound); d > roundLimit {
		return fmt.Errorf("the committer has not come round for %v", d.Round(time.Second))
	}
	for _, r := range p.parts {
		if d := since(r.last); r.running && d > roundLimit {
			return fmt.Errorf("%s has not come round for %v", r.name, d.Round(time.Second))
		}
	}
	return nil
}

// Watch feeds systemd's watchdog as long as the gateway is healthy, until ctx ends. Without a watchdog it returns at once.
func (d *Daemon) Watch(ctx context.Context) {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return
	}
	tick := time.NewTicker(every / 4)
	defer tick.Stop()
	said := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := d.Healthy(); err == nil {
				notify(daemon.SdNotifyWatchdog)
				said = false
			} else if !said {
				said = true
				d.log.Error("the gateway is stuck; the watchdog is not fed any more, systemd will restart it", "error", err)
			}
		}
	}
}

// NotifyReady tells systemd that the gateway has started, NotifyStopping that it is about to stop.
func NotifyReady()    { notify(daemon.SdNotifyReady) }
func NotifyStopping() { notify(daemon.SdNotifyStopping) }

// notifyReloading tells systemd that the configuration is being read again; NotifyReady that it was, or stays as it is.
func notifyReloading() { notify(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec()) }

// patience asks systemd for more time as long as something lasts: a large store that is damaged takes minutes to salvage. The caller ends it.
func patience() (end func()) {
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(10 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				notify("EXTEND_TIMEOUT_USEC=60000000")
			}
		}
	}()
	return func() { close(done); <-gone }
}

func notify(state string) { _, _ = daemon.SdNotify(false, state) } // outside of systemd there is nobody to tell
