// Package topic knows MQTT topic names and topic filters (MQTT 5, section 4.7).
package topic

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// MaxLen is the longest topic name or filter that MQTT can carry, in bytes.
const MaxLen = 65535

// CheckName returns what is wrong with a topic name: empty, wildcards in it, not UTF-8, NUL, or too long.
func CheckName(name string) error {
	if err := checkText(name); err != nil {
		return err
	}
	if strings.ContainsAny(name, "+#") {
		return errors.New("a topic name has no wildcards (+ and #)")
	}
	return nil
}

// CheckFilter returns what is wrong with a topic filter.
func CheckFilter(filter string) error {
	if err := checkText(filter); err != nil {
		return err
	}
	for rest, more := filter, true; more; {
		var level string
		level, rest, more = strings.Cut(rest, "/")
		switch {
		case level == "#" && more:
			return errors.New("# must be the last level [MQTT-4.7.1-1]")
		case level != "#" && strings.Contains(level, "#"):
			return errors.New("# must be a level of its own [MQTT-4.7.1-1]")
		case level != "+" && strings.Contains(level, "+"):
			return errors.New("+ must be a level of its own [MQTT-4.7.1-2]")
		}
	}
	return nil
}

func checkText(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty [MQTT-4.7.3-1]")
	case len(s) > MaxLen:
		return errors.New("it is longer than 65535 bytes [MQTT-4.7.3-3]")
	case strings.IndexByte(s, 0) >= 0:
		return errors.New("it has a NUL character [MQTT-4.7.3-2]")
	case !utf8.ValidString(s):
		return errors.New("it is not UTF-8")
	}
	return nil
}

// Match reports whether a valid topic name matches a valid filter. Topics that begin with $ do not match a filter that
// begins with a wildcard [MQTT-4.7.2-1].
func Match(filter, name string) bool {
	if name != "" && name[0] == '$' && filter != "" && (filter[0] == '+' || filter[0] == '#') {
		return false
	}
	for f, n := 0, 0; ; f, n = f+1, n+1 { // at the beginning of a level of each
		switch {
		case f == len(filter):
			if n < len(name) && name[n] != '/' {
				return false
			}
		case filter[f] == '#':
			return true
		case filter[f] == '+':
			for f++; n < len(name) && name[n] != '/'; n++ {
			}
		default:
			for ; f < len(filter) && filter[f] != '/'; f, n = f+1, n+1 {
				if n == len(name) || name[n] != filter[f] {
					return false
				}
			}
			if n < len(name) && name[n] != '/' {
				return false
			}
		}
		if n == len(name) {
			return f == len(filter) || filter[f:] == "/#" // "a/#" also matches "a"
		}
		if f == len(filter) {
			return false
		}
	}
}

// Covers reports whether every topic name that matches narrow also matches wide.
func Covers(wide, narrow string) bool {
	if narrow != "" && (narrow[0] == '+' || narrow[0] == '#') && wide != "" && wide[0] == '$' {
		return false
	}
	if narrow != "" && narrow[0] == '$' && wide != "" && (wide[0] == '+' || wide[0] == '#') {
		return false
	}
	for {
		wl, wrest, wmore := strings.Cut(wide, "/")
		if wl == "#" {
			return true
		}
		nl, nrest, nmore := strings.Cut(narrow, "/")
		if nl == "#" || wl != "+" && wl != nl {
			return false
		}
		if !nmore {
			return !wmore || wrest == "#"
		}
		if !wmore {
			return false
		}
		wide, narrow = wrest, nrest
	}
}

// Level returns level i of a topic name, counted from 0; "" if it has no such level.
func Level(name string, i int) string {
	for ; i > 0; i-- {
		k := strings.IndexByte(name, '/')
		if k < 0 {
			return ""
		}
		name = name[k+1:]
	}
	level, _, _ := strings.Cut(name, "/")
	return level
}

// Overlap reports whether some topic name matches both filters.
func Overlap(a, b string) bool {
	dollar := func(f string) bool { return f != "" && f[0] == '$' }
	wild := func(f string) bool { return f != "" && (f[0] == '+' || f[0] == '#') }
	if dollar(a) && wild(b) || dollar(b) && wild(a) {
		return false
	}
	for {
		al, arest, amore := strings.Cut(a, "/")
		bl, brest, bmore := strings.Cut(b, "/")
		switch {
		case al == "#" || bl == "#":
			return true
		case al != "+" && bl != "+" && al != bl:
			return false
		case !amore && !bmore:
			return true
		case !amore:
			return brest == "#"
		case !bmore:
			return arest == "#"
		}
		a, b = arest, brest
	}
}
