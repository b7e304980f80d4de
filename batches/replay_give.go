package batches

import (
	"context"
	"time"

	"edged"
)

// take takes rows of the trial: as those of the stream, with a sign behind them.
func (r *replay) take(rows *edged.Rows) error {
	g := &r.rows
	g.rows.Stream, g.rows.Names = rows.Stream, r.names
	for i := range rows.Len() {
		g.rows.Cells = append(append(g.rows.Cells, rows.Row(i)...), edged.BoolValue(true))
		if g.end(r.Entry) {
			if err := r.give(); err != nil {
				return err
			}
		}
	}
	return r.ctx.Err()
}

// give appends what has gathered.
func (r *replay) give() error {
	n := uint64(r.rows.rows.Len())
	if n == 0 {
		return nil
	}
	if !r.Dry {
		if err := r.Wait(r.ctx); err != nil {
			return err
		}
	}
	u := &edged.Update{Results: []edged.Result{r.rows.entry()}}
	r.side.count(u)
	for !r.Dry {
		err := r.Store.Commit(context.WithoutCancel(r.ctx), u, false)
		if err == nil {
			break
		}
		if r.ctx.Err() != nil {
			return err
		}
		select {
		case <-r.ctx.Done():
		case <-time.After(time.Second):
		}
	}
	r.did.Given += n
	r.rest = time.Now()
	r.say()
	return nil
}

func (r *replay) say() {
	if r.Said != nil {
		did := r.did
		did.Tried = r.trial.Tried()
		r.Said(did)
	}
}

// restAfter is how long it works at a stretch. Then it rests as long: a gateway with one core has other work.
const restAfter = 20 * time.Millisecond

func (r *replay) pause() {
	worked := time.Since(r.rest)
	if worked < restAfter {
		return
	}
	select {
	case <-r.ctx.Done():
	case <-time.After(min(worked, 5*restAfter)):
	}
	r.rest = time.Now()
}
