package receiver

import "time"

// The gains of the rate estimator, and the lowest rate that it gives, in messages a second (Spark: spark.streaming.backpressure.pid.proportional,
// .integral, .derived and .minRate, with their defaults).
const (
	proportional   = 1.0
	integral       = 0.2
	derivative     = 0.0
	DefaultMinRate = 100
)

// PID estimates from one finished batch after another how many messages a second can be worked off: it is a PID controller with the mathematics
// of Spark's org.apache.spark.streaming.scheduler.rate.PIDRateEstimator. With messages n, processing time t, scheduling delay d, batch interval b,
// the rate r that was estimated last and s seconds since then:
//
//	p = n / t             the rate at which the batch was worked off
//	e = r - p             the error: how much too high the last estimate was
//	h = d · p / b         the error of the past: the messages that wait, spread over one batch interval
//	r' = max(min rate, r - proportional · e - integral · h - derivative · (e - last e) / s)
//
// The first batch says what r is and gives no estimate.
type PID struct {
	P, I, D  float64
	MinRate  float64       // messages a second, above 0
	Interval time.Duration // of the batches

	begun bool
	at    time.Time
	rate  float64
	err   float64
}

// NewPID makes an estimator with Spark's gains.
func NewPID(minRate float64, interval time.Duration) *PID {
	return &PID{P: proportional, I: integral, D: derivative, MinRate: minRate, Interval: interval}
}

// Estimate takes a batch that was finished at a time, and returns the new rate. ok is false if the batch says nothing: it is the first one, it
// held no messages, it took no time, or it is not later than the one before. messages may be a fraction: rows of a sink are turned into them.
func (p *PID) Estimate(at time.Time, messages float64, processing, scheduling time.Duration) (rate float64, ok bool) {
	if messages <= 0 || processing <= 0 || p.begun && !at.After(p.at) {
		return 0, false
	}
	processed := messages / processing.Seconds()
	if !p.begun {
		p.begun, p.at, p.rate, p.err = true, at, processed, 0
		return 0, false
	}
	err := p.rate - processed
	past := scheduling.Seconds() * processed / p.Interval.Seconds()
	slope := (err - p.err) / at.Sub(p.at).Seconds()
	p.rate = max(p.MinRate, p.rate-p.P*err-p.I*past-p.D*slope)
	p.at, p.err = at, err
	return p.rate, true
}
