package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"edged/internal/daemon"
	"edged/internal/human"
	"edged/receiver"
)

// printRates writes how fast receivers may take messages in, and who says so; the first line of a receiver is what holds now. Receivers without
// any bound are left out.
func printRates(p func(string, ...any), s *daemon.Status) {
	head := "\nreceiver\tat most\tby\tlast batch\n"
	for _, r := range s.Receivers {
		if r.Rate == nil {
			continue
		}
		by := r.Rate.Estimates
		slices.SortStableFunc(by, func(a, b receiver.Estimate) int { return cmp.Compare(orInf(a.Rate), orInf(b.Rate)) })
		if most := r.Rate.MaxRate; most > 0 {
			at := slices.IndexFunc(by, func(e receiver.Estimate) bool { return orInf(e.Rate) > most })
			if at < 0 {
				at = len(by)
			}
			by = slices.Insert(by, at, receiver.Estimate{By: "max_rate", Rate: most})
		}
		for i, e := range by {
			name := r.Name
			if i > 0 {
				name = ""
			}
			p("%s%s\t%s\t%s\t%s\n", head, name, perSecond(e.Rate), e.By, batch(e))
			head = ""
		}
	}
}

// orInf is a rate, of which 0 is not known yet.
func orInf(rate float64) float64 {
	if rate == 0 {
		return math.Inf(1)
	}
	return rate
}

func perSecond(rate float64) string {
	if rate == 0 {
		return "-"
	}
	return human.Count(int64(math.Round(rate))) + "/s"
}

func batch(e receiver.Estimate) string {
	if e.Messages == 0 {
		return ""
	}
	text := fmt.Sprintf("%s in %v", human.Plural(int64(math.Ceil(e.Messages)), "message", "messages"), seconds(e.Seconds))
	if e.Delay > 0 {
		text += fmt.Sprintf(", %v late", seconds(e.Delay))
	}
	return text
}

// seconds writes a time with two or three digits.
func seconds(s float64) time.Duration {
	d, unit := time.Duration(s*float64(time.Second)), time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
