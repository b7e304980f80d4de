package main

import (
	"fmt"
	"slices"
	"time"

	root "edged"
	"edged/batches"
	"edged/configs"
)

// stage is one stream of a trial.
type stage struct {
	configs.Stream
	*batches.Trial
}

// begin makes the trials of a stream and of those that it takes from. rows gets the rows of the stream itself.
func (t *trial) begin(cfg *configs.Config, s configs.Stream, since time.Time, rows func(*root.Rows) error) (*batches.Trial, error) {
	for _, other := range t.stages {
		if other.Name == s.Name {
			return other.Trial, nil
		}
	}
	tr, err := batches.NewTrial(s.StreamConfig, s.Plan, since, rows)
	if err != nil {
		return nil, err
	}
	if table := cfg.Table(s.Joined()); table != nil {
		m, err := table.Message(s.Joined())
		if err == nil {
			err = tr.Table(s.Joined(), m)
		}
		if err != nil {
			return nil, fmt.Errorf("the table %s cannot be joined: %w", table.Path, err)
		}
	}
	for _, before := range cfg.Streams {
		if slices.Contains(cfg.Takers(before.Name), s.Name) {
			from, err := t.begin(cfg, before, since, nil)
			if err != nil {
				return nil, err
			}
			from.PassOn(tr)
		}
	}
	t.stages = append(t.stages, stage{s, tr})
	return tr, nil
}

// add gives a message to the streams that take from its receiver; to the first one if none does, which counts it. Rows of a stream that is tried too are
// made again.
func (t *trial) add(m *batches.Taken) error {
	t.taken++
	given := slices.ContainsFunc(t.stages, func(s stage) bool { return slices.Contains(s.Sources(), m.Receiver) })
	if slices.ContainsFunc(t.stages[:len(t.stages)-1], func(s stage) bool { return s.Name == m.Receiver }) {
		return nil
	}
	for i, s := range t.stages {
		if slices.Contains(s.Sources(), m.Receiver) || !given && i == 0 {
			if err := s.Add(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// end ends the trials in the order in which rows go.
func (t *trial) end(until time.Time) error {
	for _, s := range t.stages {
		if err := s.End(until); err != nil {
			return err
		}
	}
	return nil
}
