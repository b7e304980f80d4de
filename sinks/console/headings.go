package console

import (
	"slices"
	"strconv"

	"edged"
)

// rule is the line above and below a heading. It is as long as the one of Spark's print.
const rule = "-------------------------------------------\n"

// headings puts headings between rows. It remembers under which heading the last row was printed, so that a window whose rows
// come in several deliveries has one.
type headings struct {
	begun  bool
	stream string
	end    int64 // of the window, ns since 1970
}

// append appends rows by lines, with the headings that they need.
func (h *headings) append(dst []byte, rows *edged.Rows, lines func([]byte, *edged.Rows) []byte) []byte {
	column := slices.Index(rows.Names, "window_end")
	if column < 0 {
		dst = h.newest(dst, rows)
		return lines(dst, rows)
	}
	n := rows.Len()
	for from := 0; from < n; {
		end, to := rows.Row(from)[column].Nanos(), from+1
		for to < n && rows.Row(to)[column].Nanos() == end {
			to++
		}
		if !h.begun || h.stream != rows.Stream || h.end != end {
			dst = h.heading(dst, end)
		}
		h.stream, h.end = rows.Stream, end
		dst = lines(dst, rows.Slice(from, to))
		from = to
	}
	return dst
}

// newest appends a heading for rows without a window: the time of the newest of them.
func (h *headings) newest(dst []byte, rows *edged.Rows) []byte {
	column := slices.Index(rows.Names, "time")
	if column < 0 || rows.Len() == 0 {
		return dst
	}
	newest := rows.Row(0)[column].Nanos()
	for i := range rows.Len() {
		newest = max(newest, rows.Row(i)[column].Nanos())
	}
	h.stream = "" // no stream has this name: what comes next has a heading of its own
	return h.heading(dst, newest)
}

func (h *headings) heading(dst []byte, ns int64) []byte {
	if h.begun {
		dst = append(dst, '\n')
	}
	h.begun = true
	dst = append(append(dst, rule...), "Time: "...)
	dst = append(strconv.AppendInt(dst, ns/1e6, 10), " ms\n"...)
	return append(dst, rule...)
}
