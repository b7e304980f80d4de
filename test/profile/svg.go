package main

import (
	"fmt"
	"hash/fnv"
	"html"
	"slices"
	"strings"
	"time"
)

const (
	width, high = 1400.0, 17.0 // of the picture, and of a frame
	thinnest    = 0.5          // what is thinner is left out
	letter      = 6.6          // width of one
)

// svg draws the frame with what it called above it, widest first; the texts appear under the mouse, without any script.
func (f *frame) svg() string {
	depth := f.depth(f.total)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" font-family="monospace" font-size="11">`+"\n", width, high*float64(depth)+4)
	f.draw(&b, 0, depth-1, f.total)
	b.WriteString("</svg>\n")
	return b.String()
}

func (f *frame) wide(all time.Duration) float64 { return width * float64(f.total) / float64(all) }

func (f *frame) depth(all time.Duration) int {
	most := 0
	for _, c := range f.calls {
		if c.wide(all) >= thinnest {
			most = max(most, c.depth(all))
		}
	}
	return most + 1
}

func (f *frame) draw(b *strings.Builder, x float64, row int, all time.Duration) {
	w, y := f.wide(all), float64(row)*high+2
	name := html.EscapeString(f.name)
	fmt.Fprintf(b, `<g><title>%s: %.1f %%, %v</title><rect x="%.1f" y="%.0f" width="%.1f" height="%.0f" fill="%s" stroke="white" stroke-width="0.5"/>`,
		name, 100*float64(f.total)/float64(all), f.total.Round(time.Millisecond), x, y, w, high, colour(f.name))
	if fits := int(w/letter) - 1; fits >= 3 {
		short := f.name[strings.LastIndexByte(f.name, '/')+1:]
		if len(short) > fits {
			short = short[:fits]
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%.0f">%s</text>`, x+3, y+high-5, html.EscapeString(short))
	}
	b.WriteString("</g>\n")
	calls := slices.Clone(f.calls)
	slices.SortStableFunc(calls, func(p, q *frame) int { return int(q.total - p.total) })
	for _, c := range calls {
		if c.wide(all) >= thinnest {
			c.draw(b, x, row-1, all)
		}
		x += c.wide(all)
	}
}

// colour tells edged's own functions from the runtime's and those of others, and neighbours from each other.
func colour(name string) string {
	h := fnv.New32a()
	h.Write([]byte(name))
	n := int(h.Sum32() % 40)
	switch {
	case strings.HasPrefix(name, "edged"):
		return fmt.Sprintf("rgb(%d,%d,80)", 215+n, 130+2*n)
	case strings.HasPrefix(name, "runtime") || strings.Contains(name, "syscall"):
		return fmt.Sprintf("rgb(%d,%d,%d)", 170+n, 170+n, 190+n)
	}
	return fmt.Sprintf("rgb(120,%d,%d)", 180+n, 160+n)
}
