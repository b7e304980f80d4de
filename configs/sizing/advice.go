package sizing

import (
	"fmt"
	"time"

	"edged/blockstore"
	"edged/internal/conf"
	"edged/internal/human"
)

// What is little enough to be said first, and with what to change.
const (
	cardYears  = 5.0 // that a card should last
	awayDays   = 3.0 // a long weekend
	diskDays   = 90.0
	busy       = 0.5 // of one processor
	worthwhile = 0.7 // of what is written a day, that a change has to come below
)

// advise says what gives first, and what to change about it.
func advise(m *model, r *Report, a *Ask) (out []string) {
	if r.Messages == 0 {
		return []string{"No message comes in, as far as anybody says: there is nothing to work out."}
	}
	if r.CPU.Share > busy {
		out = append(out, fmt.Sprintf("The processor: %.0f %% of one of the measured kind is used; fewer messages, or another computer.", 100*r.CPU.Share))
	}
	if limit := r.Memory.Limit; limit > 0 && r.Memory.Bytes > limit {
		out = append(out, fmt.Sprintf("The memory: about %s are used, and memory_limit is %s.", human.Bytes(int64(r.Memory.Bytes)), human.Bytes(int64(limit))))
	}
	out = append(out, adviseDisk(r)...)
	for i := range m.sinks {
		out = append(out, adviseSink(m, &m.sinks[i], r.Sinks[i], a)...)
	}
	if years := r.Card.Years; years > 0 && years < cardYears {
		out = append(out, fmt.Sprintf("The card: it is worn out after %s.", span(years*365)))
	} else if len(out) == 0 && years == 0 {
		out = []string{fmt.Sprintf("Nothing gives within %v years, and nothing is written to the card.", cardYears)}
	} else if len(out) == 0 {
		out = []string{fmt.Sprintf("Nothing gives within %v years; the card is what wears: %s.", cardYears, span(years*365))}
	}
	return append(out, adviseWear(m, r)...)
}

func adviseDisk(r *Report) (out []string) {
	d := r.Disk
	if d.Known && d.Needs > d.Free {
		out = append(out, fmt.Sprintf("The disk: the store and the files that are kept need %s, and %s are free.", human.Bytes(int64(d.Needs)), human.Bytes(int64(d.Free))))
	}
	if d.Grows > 0 && d.Known && d.Days < diskDays {
		out = append(out, fmt.Sprintf("The disk: it is full after %s; rotate_size and keep_files of the file sinks bound them.", span(d.Days)))
	}
	return out
}

func adviseSink(m *model, s *sink, k Sink, a *Ask) (out []string) {
	if s.isFile || k.Bound == "" {
		return nil
	}
	if k.Away == 0 {
		return []string{fmt.Sprintf("Sink %s: there is no room for anything that it cannot take at once (store.reserve_free is to stay free); then %s.", s.Name, k.Then)}
	}
	if k.Away < awayDays {
		more := int64(float64(m.c.Store.MaxBytes)*awayDays/k.Away)>>30 + 1
		text := fmt.Sprintf("Sink %s: after %s away %s.", s.Name, span(k.Away), k.Then)
		if s.Common.MaxPending.Auto && (a.Free < 0 || more<<30 < a.Free) {
			text += fmt.Sprintf(" max_bytes = %q holds %v days.", conf.Size(more<<30), awayDays)
		}
		out = append(out, text)
	}
	return out
}

// change is one of the configuration that writes less.
type change struct {
	text string
	to   func(s *blockstore.Config)
	ack  time.Duration // that acknowledgements take then, at most
}

// adviseWear says which changes of the configuration write so much less that they are worth it.
func adviseWear(m *model, r *Report) (out []string) {
	const second = conf.Duration(time.Second)
	cadence := m.c.Store.CommitInterval.D()
	least := r.Store.Written
	for _, c := range []change{
		{`commit = "auto"`, func(s *blockstore.Config) { s.Commit = "auto" }, cadence},
		{`write_budget = "200MB/day"`, func(s *blockstore.Config) { s.WriteBudget = 200e6 / conf.ByteRate(perDay) }, cadence},
		{`commit_interval = "1s"`, func(s *blockstore.Config) { s.CommitInterval = max(second, s.CommitInterval) }, time.Second},
		{`commit_interval = "1s" and write_budget = "200MB/day"`, func(s *blockstore.Config) {
			s.CommitInterval, s.WriteBudget = max(second, s.CommitInterval), 200e6/conf.ByteRate(perDay)
		}, time.Second},
	} {
		store, config := *m.c.Store, *m.c
		c.to(&store)
		config.Store = &store
		other := *m
		other.c = &config
		w, _ := other.worn()
		if after := w.written * perDay; after < worthwhile*least {
			out = append(out, fmt.Sprintf("%s writes %s to the store a day instead of %s; acknowledgements then take up to %v.",
				c.text, bytesOf(after), bytesOf(r.Store.Written), c.ack))
			least = after
		}
	}
	return out
}

// span writes a length of time in the unit that is short to read.
func span(days float64) string {
	switch {
	case days <= 0:
		return "no time"
	case days < 0.1:
		return fmt.Sprintf("%.1f hours", days*24)
	case days < 2:
		return fmt.Sprintf("%.0f hours", days*24)
	case days < 60:
		return fmt.Sprintf("%.0f days", days)
	case days < 730:
		return fmt.Sprintf("%.0f months", days/30.4)
	case days < 100*365:
		return fmt.Sprintf("%.0f years", days/365)
	}
	return "more than 100 years"
}
