// Package human writes numbers, sizes and times as people read them.
package human

import (
	"fmt"
	"strconv"
	"time"
)

// Count writes a number with thousands separators: 1,204.
func Count[N int | int64 | uint64](n N) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Bytes writes a size in the unit that is short to read, of 1000: 3.1 MB. What is a whole number of MiB or GiB is most
// likely a limit, and is written as in the configuration: 512 MiB.
func Bytes[N int64 | uint64](n N) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	v := float64(n)
	for _, unit := range []string{"kB", "MB", "GB"} {
		if v /= 1000; v < 999.5 {
			return short(v) + " " + unit
		}
	}
	return short(v/1000) + " TB"
}

// Of is "3.1 MB of 10 MB", both in the units of the limit: of 64 MiB used is 63.9 MiB.
func Of(used, limit int64) string {
	if limit == 0 || limit%(1<<20) != 0 {
		return Bytes(used) + " of " + Bytes(limit)
	}
	unit, name := float64(1<<20), "MiB"
	if limit%(1<<30) == 0 && used >= 1<<30/10 {
		unit, name = 1<<30, "GiB"
	}
	return fmt.Sprintf("%.1f %s of %s", float64(used)/unit, name, Bytes(limit))
}

// short has one decimal below ten, and none above.
func short(v float64) string {
	if v < 9.95 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// Time writes a local time, of today without the date: 10:02, else 2026-11-20 10:02.
func Time(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04")
	}
	return at.Format("2006-01-02 15:04")
}

// Plural is "1 row" or "1,204 rows".
func Plural[N int | int64 | uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}
