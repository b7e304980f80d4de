package gpio

import (
	"errors"
	"time"

	"edged/gpio/wave"
)

// simLine is a line that follows a wave. Its time begins with the first call.
type simLine struct {
	wave  wave.Wave
	start time.Time
	last  time.Duration // of the change that Wait returned last
}

func openSim(p *PinConfig) (line, error) { return &simLine{wave: p.Wave.New(p.Name)}, nil }

func (s *simLine) elapsed(at time.Time) time.Duration {
	if s.start.IsZero() {
		s.start = at
	}
	return at.Sub(s.start)
}

func (s *simLine) Read(due time.Time) (float64, error) { return s.wave.At(s.elapsed(due)) }

func (s *simLine) Wait(timeout time.Duration) (value float64, changed bool, err error) {
	steps, ok := s.wave.(wave.Stepper)
	if !ok {
		return 0, false, errors.New("the wave of this pin has no edges") // kept out by Load
	}
	next, more := steps.Next(s.last)
	wait := next - s.elapsed(time.Now())
	if wait > timeout {
		time.Sleep(timeout)
		return 0, false, nil
	}
	time.Sleep(wait)
	if !more {
		return 0, false, wave.ErrEnd
	}
	s.last = next
	value, err = s.wave.At(next)
	return value, err == nil, err
}

func (s *simLine) Close() error { return nil }
