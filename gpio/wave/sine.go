package wave

import (
	"math"
	"time"

	"edged/internal/conf"
)

type sine struct {
	Period conf.Duration `toml:"period" doc:"time of one swing; it starts in the middle, upwards"`
	bounds
}

func newSine() Config { return &sine{conf.Duration(time.Minute), bounds{0, 1}} }

func (s *sine) Check(t *conf.Table) {
	checkPeriod(t, s.Period, shortest)
	s.bounds.check(t)
}

func (s *sine) Digital() bool { return false }

func (s *sine) New(string) Wave { return s }

func (s *sine) At(elapsed time.Duration) (float64, error) {
	turn := float64(elapsed%s.Period.D()) / float64(s.Period)
	return millionth((s.Min+s.Max)/2 + (s.Max-s.Min)/2*math.Sin(2*math.Pi*turn)), nil
}
