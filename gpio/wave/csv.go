package wave

import (
	"slices"
	"sort"
	"time"

	"edged/internal/conf"
)

type replay struct {
	File   string        `toml:"file" doc:"absolute, or relative to the working directory; lines are time,value or value alone; a time is in ms (from any zero) or RFC 3339; a first line of titles and lines that begin with # are skipped; at most 1000000 lines"`
	Period conf.Duration `toml:"period" doc:"time between two lines of a file without times"`
	Repeat bool          `toml:"repeat" doc:"begin again at the end; false: the pin ends there"`
	rows   []row
}

// row is one line of the file: the value from a time since the first row on.
type row struct {
	at    time.Duration
	value float64
}

func newCSV() Config { return &replay{Period: conf.Duration(time.Second), Repeat: true} }

func (r *replay) Check(t *conf.Table) {
	checkPeriod(t, r.Period, shortest)
	if t.Bad("file") || t.Bad("period") {
		return
	}
	if r.File == "" {
		t.Errorf("file", "a csv wave needs file, the file to replay")
		return
	}
	rows, err := readRows(r.File, r.Period.D())
	if err != nil {
		t.Errorf("file", "file: %v", err)
		return
	}
	r.rows = rows
}

func (r *replay) Digital() bool {
	return !slices.ContainsFunc(r.rows, func(r row) bool { return r.value != 0 && r.value != 1 })
}

func (r *replay) New(string) Wave {
	p := &player{rows: r.rows, repeat: r.Repeat, length: length(r.rows, r.Period.D())}
	for i := 1; i < len(p.rows); i++ {
		if p.rows[i].value != p.rows[i-1].value {
			p.changes = append(p.changes, p.rows[i].at)
		}
	}
	if r.Repeat && p.rows[0].value != p.rows[len(p.rows)-1].value {
		p.changes = append(p.changes, p.length)
	}
	return p
}

// length is the time that one replay takes: the last value holds as long as the one before it did.
func length(rows []row, period time.Duration) time.Duration {
	last := len(rows) - 1
	if last == 0 {
		return period
	}
	return 2*rows[last].at - rows[last-1].at
}

type player struct {
	rows    []row
	changes []time.Duration // within (0, length]
	length  time.Duration
	repeat  bool
}

func (p *player) At(elapsed time.Duration) (float64, error) {
	if elapsed >= p.length {
		if !p.repeat {
			return 0, ErrEnd
		}
		elapsed %= p.length
	}
	i := sort.Search(len(p.rows), func(i int) bool { return p.rows[i].at > elapsed })
	return p.rows[i-1].value, nil
}

func (p *player) Next(after time.Duration) (time.Duration, bool) {
	var begin time.Duration // of the round that after falls in
	if p.repeat {
		begin = after / p.length * p.length
	}
	i := sort.Search(len(p.changes), func(i int) bool { return begin+p.changes[i] > after })
	switch {
	case i < len(p.changes):
		return begin + p.changes[i], true
	case !p.repeat:
		return p.length, false
	case len(p.changes) == 0:
		return Never, false
	}
	return begin + p.length + p.changes[0], true
}
