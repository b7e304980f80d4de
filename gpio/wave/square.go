package wave

import (
	"time"

	"edged/internal/conf"
)

type square struct {
	Period conf.Duration `toml:"period" doc:"time for low and high together; it starts low"`
	bounds
}

func newSquare() Config { return &square{conf.Duration(2 * time.Second), bounds{0, 1}} }

func (s *square) Check(t *conf.Table) {
	checkPeriod(t, s.Period, 2*shortest)
	s.bounds.check(t)
}

func (s *square) Digital() bool { return s.Min == 0 && s.Max == 1 }

func (s *square) New(string) Wave { return s }

func (s *square) half() time.Duration { return s.Period.D() / 2 }

func (s *square) At(elapsed time.Duration) (float64, error) {
	if elapsed/s.half()%2 == 0 {
		return s.Min, nil
	}
	return s.Max, nil
}

func (s *square) Next(after time.Duration) (time.Duration, bool) {
	return (after/s.half() + 1) * s.half(), true
}
