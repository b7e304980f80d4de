package batches

import (
	"fmt"

	"edged"
)

// The table that a replayed stream joins: the one that was in force where the replay begins, as far as that is stored, and those that come within its time.

// tables takes a block of tables: before the first message the last one is the one in force.
func (r *replay) tables(b *edged.Block) error {
	for i := range b.Len() {
		m := takenFrom(b, i)
		switch {
		case r.trial == nil:
			r.table = &m.Message
		case r.To.IsZero() || m.At.Time().Before(r.To):
			if err := r.trial.Add(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// join gives the stream its table before the first message.
func (r *replay) join() (err error) {
	if r.table == nil && r.Table != nil {
		if r.table, err = r.Table(); err != nil {
			return fmt.Errorf("no table is stored from before that time, and it cannot be joined as it is now: %w", err)
		}
	}
	if r.table == nil {
		return nil
	}
	if err = r.trial.Table(r.Plan.join.other, r.table); err != nil {
		return fmt.Errorf("the table that was in force then cannot be joined: %w", err)
	}
	return nil
}
