package batches

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"edged/batches/expression"
)

// memory compiles what a row's going on depends on besides itself.
func (b *builder) memory(c *StreamConfig) {
	p := b.p
	if c.Changed != "" {
		x, err := b.scope.Compile(c.Changed)
		if err != nil {
			b.fail("", "changed", err)
		}
		p.changed = x
	}
	if err := b.deadband(c); err != nil {
		b.fail("", "deadband", err)
	}
	switch {
	case c.Throttle < 0:
		b.fail("", "throttle", errors.New("it cannot be negative"))
	case c.Sample < 0:
		b.fail("", "sample", errors.New("it cannot be negative: 10 takes every tenth row"))
	}
	p.throttle, p.sample, p.lags = int64(c.Throttle), uint64(max(c.Sample, 0)), b.scope.Lags()
	if len(p.lags) == 0 {
		return
	}
	for _, pr := range c.GroupBy { // the key of a row must be known before lag is
		for _, s := range c.Select {
			if regexp.MustCompile(`\b` + regexp.QuoteMeta(s.Key) + `\b`).MatchString(pr.Value) {
				b.fail("group_by", pr.Key, fmt.Errorf("with lag, rows are grouped by what is decoded, and %s is computed by select: write its expression here", s.Key))
			}
		}
	}
}

func (b *builder) deadband(c *StreamConfig) error {
	if c.Deadband == "" {
		return nil
	}
	if c.Changed == "" {
		return errors.New(`it says by how much a value must change; name that value, changed = "value"`)
	}
	text, relative := strings.CutSuffix(strings.TrimSpace(c.Deadband), "%")
	by, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || by < 0 {
		return fmt.Errorf(`want a number in the unit of the value, "0.5", or a share of it, "2%%", have %q`, c.Deadband)
	}
	if relative {
		by /= 100
	}
	b.p.band = deadband{by, relative}
	return nil
}

// having compiles what a result must satisfy. It sees the columns of the results.
func (b *builder) having(c *StreamConfig) {
	if c.Having == "" {
		return
	}
	if !b.p.Windowed() {
		b.fail("", "having", errors.New("it is for the results of windows; rows are filtered by where"))
		return
	}
	x, err := expression.NewResultScope(b.p.names).CompileBool(c.Having)
	if err != nil {
		b.fail("", "having", err)
	}
	b.p.having = x
}
