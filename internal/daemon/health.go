package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// How long a part may take before the gateway counts as stuck. WatchdogSec=60 in the unit is longer than both.
const (
	commitLimit = 45 * time.Second // one commit, on a slow card
	roundLimit  = 45 * time.Second // the committer, a stream or a sink since it last came round
)

// Healthy reports what is stuck. Progress is what counts: a gateway that is alive and moves nothing is not healthy. A part
// that waits for a commit is excused as long as the commit itself is.
func (d *Daemon) Healthy() error {
	if d.state.Load() != started {
		return nil
	}
	p := d.store.Progress()
	since := func(t time.Time) time.Duration {
		if t.IsZero() {
			t = d.started
		}
		return time.Since(t)
	}
	committing := !p.CommitFrom.IsZero()
	switch {
	case committing && time.Since(p.CommitFrom) > commitLimit:
		return fmt.Errorf("a commit has been under way for %v", time.Since(p.CommitFrom).Round(time.Second))
	case !committing && since(p.LastRound) > roundLimit:
		return fmt.Errorf("the committer has not come round for %v", since(p.LastRound).Round(time.Second))
	case committing:
		return nil
	}
	for _, s := range d.streams {
		if d := since(s.LastRound()); d > roundLimit && s.part.State().State == "running" {
			return fmt.Errorf("stream %s has not come round for %v", s.Name(), d.Round(time.Second))
		}
	}
	for _, w := range d.writers {
		if d := since(w.LastRound()); d > roundLimit && w.part.State().State == "running" {
			return fmt.Errorf("sink %s has not come round for %v", w.Name(), d.Round(time.Second))
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

func notify(state string) { _, _ = daemon.SdNotify(false, state) } // outside of systemd there is nobody to tell
