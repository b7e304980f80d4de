package wave

import (
	"math"
	"time"

	"edged/internal/conf"
)

type counter struct {
	Period conf.Duration `toml:"period" doc:"time between two steps"`
	Min    float64       `toml:"min" doc:"first value"`
	Max    float64       `toml:"max" doc:"begins again at min past this value; 0 = never"`
	Step   float64       `toml:"step" doc:"what is added at each step"`
}

func newCounter() Config { return &counter{Period: conf.Duration(time.Second), Step: 1} }

func (c *counter) Check(t *conf.Table) {
	checkPeriod(t, c.Period, shortest)
	if !t.Bad("min") && !(math.Abs(c.Min) <= limit) {
		t.Errorf("min", "min: want a number between -1e15 and 1e15")
	}
	if !t.Bad("step") && !(c.Step > 0 && c.Step <= limit) {
		t.Errorf("step", "step: want more than 0, and at most 1e15")
	}
	if !t.Bad("max") && c.Max != 0 && !(c.Max >= c.Min+c.Step && c.Max <= limit) {
		t.Errorf("max", "max: want at least min + step (%v) and at most 1e15, or 0 for a counter that never begins again", c.Min+c.Step)
	}
}

func (c *counter) Digital() bool { return c.Min == 0 && c.Max == 1 && c.Step == 1 }

func (c *counter) New(string) Wave { return c }

func (c *counter) At(elapsed time.Duration) (float64, error) {
	steps := float64(elapsed / c.Period.D())
	if c.Max != 0 {
		steps = math.Mod(steps, math.Floor((c.Max-c.Min)/c.Step+1e-9)+1) // 0.3/0.1 is a little less than 3
	}
	return millionth(c.Min + c.Step*steps), nil
}

func (c *counter) Next(after time.Duration) (time.Duration, bool) {
	return (after/c.Period.D() + 1) * c.Period.D(), true
}
