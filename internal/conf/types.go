package conf

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time: "200ms", "10s", "24h", "7d", or parts of them in a row ("1h30m"). "" is 0.
type Duration time.Duration

// D is the duration as the standard library's.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String writes it as the configuration does.
func (d Duration) String() string {
	if d == 0 {
		return ""
	}
	v := time.Duration(d)
	if v%(24*time.Hour) == 0 {
		return strconv.FormatInt(int64(v/(24*time.Hour)), 10) + "d"
	}
	s := v.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// SetTOML reads a string.
func (d *Duration) SetTOML(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf(`want a duration like "200ms", "10s" or "24h", have %s`, describe(v))
	}
	p, err := ParseDuration(s)
	*d = Duration(p)
	return err
}

// ParseDuration reads a duration; days ("7d") are allowed before the rest.
func ParseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf(`%q is not a duration; write "200ms", "10s", "5m", "24h" or "7d"`, s)
	text := strings.TrimSpace(s)
	if text == "" {
		return 0, nil
	}
	var days time.Duration
	if n, rest, ok := strings.Cut(text, "d"); ok {
		k, err := strconv.ParseUint(n, 10, 16)
		if err != nil {
			return 0, bad
		}
		days, text = time.Duration(k)*24*time.Hour, rest
		if text == "" {
			return days, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, bad
	}
	return days + d, nil
}

// Size is a number of bytes: "64MiB" (1024) or "64MB" (1000). "" is 0.
type Size int64

// String writes it as the configuration does.
func (s Size) String() string {
	if s == 0 {
		return ""
	}
	for _, u := range units {
		if int64(s)%u.n == 0 {
			return strconv.FormatInt(int64(s)/u.n, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// SetTOML reads a string, or a number of bytes.
func (s *Size) SetTOML(v any) error {
	n, err := parseSize(v)
	*s = Size(n)
	return err
}

var units = []struct {
	name string
	n    int64
}{
	{"TiB", 1 << 40}, {"TB", 1e12}, {"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1},
}

func parseSize(v any) (int64, error) {
	if n, ok := v.(int64); ok && n >= 0 {
		return n, nil
	}
	text, ok := v.(string)
	if !ok {
		return 0, fmt.Errorf(`want a size like "64MiB", have %s`, describe(v))
	}
	s := strings.TrimSpace(text)
	if s == "" {
		return 0, nil
	}
	for _, u := range units {
		num, found := strings.CutSuffix(s, u.name)
		if !found {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
		if err != nil || f < 0 || f*float64(u.n) > 1<<62 {
			break
		}
		return int64(f * float64(u.n)), nil
	}
	return 0, fmt.Errorf(`%q is not a size; write "64MiB" (1024) or "64MB" (1000)`, text)
}

// AutoSize is a Size, or "auto".
type AutoSize struct {
	Auto  bool
	Bytes int64
}

// String writes it as the configuration does.
func (a AutoSize) String() string {
	if a.Auto {
		return "auto"
	}
	return Size(a.Bytes).String()
}

// SetTOML reads "auto" or a size.
func (a *AutoSize) SetTOML(v any) error {
	if v == "auto" {
		*a = AutoSize{Auto: true}
		return nil
	}
	n, err := parseSize(v)
	if err != nil {
		return fmt.Errorf(`%w, or "auto"`, err)
	}
	*a = AutoSize{Bytes: n}
	return nil
}

// Or returns the size, or n if it is "auto".
func (a AutoSize) Or(n int64) int64 {
	if a.Auto {
		return n
	}
	return a.Bytes
}

// Rate is a number of things a second: "500/s", "30/min". 0 ("") is no limit.
type Rate float64

// String writes it as the configuration does.
func (r Rate) String() string {
	if r == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(r), 'f', -1, 64) + "/s"
}

// SetTOML reads a string.
func (r *Rate) SetTOML(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf(`want a rate like "500/s", have %s`, describe(v))
	}
	n, per, err := splitRate(s)
	if err != nil || s == "" {
		*r = 0
		return err
	}
	f, err := strconv.ParseFloat(n, 64)
	if err != nil || f <= 0 {
		return fmt.Errorf(`%q is not a rate; write "500/s", "30/min" or "1000/h"`, s)
	}
	*r = Rate(f / per.Seconds())
	return nil
}

// ByteRate is a number of bytes a second: "2GB/day"; negative is "unlimited".
type ByteRate float64

// Unlimited is the ByteRate without a bound.
const Unlimited ByteRate = -1

// String writes it as the configuration does.
func (r ByteRate) String() string {
	if r < 0 {
		return "unlimited"
	}
	return Size(float64(r)*86400+0.5).String() + "/day"
}

// SetTOML reads a string.
func (r *ByteRate) SetTOML(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf(`want "2GB/day" or "unlimited", have %s`, describe(v))
	}
	if s == "unlimited" {
		*r = Unlimited
		return nil
	}
	n, per, err := splitRate(s)
	if err != nil || s == "" {
		return fmt.Errorf(`%q is not a rate of bytes; write "2GB/day", "1MB/s" or "unlimited"`, s)
	}
	size, err := parseSize(n)
	if err != nil {
		return err
	}
	*r = ByteRate(float64(size) / per.Seconds())
	return nil
}

func splitRate(s string) (n string, per time.Duration, err error) {
	if s == "" {
		return "", time.Second, nil
	}
	n, unit, ok := strings.Cut(s, "/")
	if ok {
		switch strings.TrimSpace(unit) {
		case "s":
			return strings.TrimSpace(n), time.Second, nil
		case "min", "m":
			return strings.TrimSpace(n), time.Minute, nil
		case "h":
			return strings.TrimSpace(n), time.Hour, nil
		case "day", "d":
			return strings.TrimSpace(n), 24 * time.Hour, nil
		}
	}
	return "", 0, errors.New(fmt.Sprintf("%q is not a rate", s) + `; write "500/s", "30/min" or "1000/h"`)
}
