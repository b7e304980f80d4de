package wave

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// maxRows bounds the memory of a replayed file to 16 MB.
const maxRows = 1_000_000

// longest is the longest stretch of time that a file may cover: ten years, far below what a Duration can hold.
const longest = 10 * 365 * 24 * time.Hour

// readRows reads a file to replay. The rows of a file without times are period apart. Errors name the line.
func readRows(file string, period time.Duration) ([]row, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := parseRows(f, period)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return rows, nil
}

func parseRows(from io.Reader, period time.Duration) ([]row, error) {
	in := csv.NewReader(from) // fixes the number of columns with the first line
	in.Comment, in.TrimLeadingSpace, in.ReuseRecord = '#', true, true
	var rows []row
	var zero time.Time
	for first := true; ; first = false {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := in.FieldPos(0)
		if len(cells) > 2 {
			return nil, fmt.Errorf("line %d: want time,value or value, have %d columns", line, len(cells))
		}
		value, err := parseValue(cells[len(cells)-1])
		if err != nil {
			if first {
				continue // titles
			}
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if len(rows) == maxRows {
			return nil, fmt.Errorf("line %d: a file to replay has at most %d lines", line, maxRows)
		}
		r := row{time.Duration(len(rows)) * period, value}
		if len(cells) == 2 {
			at, err := parseTime(cells[0])
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", line, err)
			}
			if len(rows) == 0 {
				zero = at
			}
			r.at = at.Sub(zero)
		}
		if n := len(rows); n > 0 && r.at < rows[n-1].at {
			return nil, fmt.Errorf("line %d: its time is before that of the line above", line)
		}
		if r.at > longest {
			return nil, fmt.Errorf("line %d: more than ten years after the first line", line)
		}
		if n := len(rows); n > 0 && r.at == rows[n-1].at {
			rows[n-1] = r // of several lines with one time the last counts
			continue
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return nil, errors.New("it has no values")
	}
	return rows, nil
}

func parseValue(s string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(math.Abs(v) <= limit) {
		return 0, fmt.Errorf("%q is not a number between -1e15 and 1e15", s)
	}
	return v, nil
}

// parseTime reads milliseconds, since 1970 or since anything else, or RFC 3339.
func parseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if ms, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(ms) <= limit {
		return time.UnixMicro(int64(math.Round(ms * 1000))), nil
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, nil
	}
	return time.Time{}, fmt.Errorf("%q is no time; write milliseconds or 2026-11-20T10:00:00Z", s)
}
