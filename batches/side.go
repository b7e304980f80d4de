package batches

import (
	"context"
	"encoding/json"
	"fmt"

	"edged"
	"edged/internal/rowcodec"
)

// A stream has result logs besides that of its results (docs/adr/0021-side-logs.md): NAME.late and NAME.replay. Their entries are appended as results
// are, and delivered as they are; a cursor of the log's own counts their rows in the same update.

// sideRecord is what that cursor carries. A side log exists when it has one. It is JSON: it is written seldom, and read by people.
type sideRecord struct {
	Life uint64            `json:"life"`           // another one when the counts began anew; see edged.Feed
	Rows uint64            `json:"rows,omitempty"` // for whoever reads the log
	To   map[string]uint64 `json:"to,omitempty"`   // by sink: rows that are for some sinks only
}

// readSide reads the record of a side log; false if there is none, or it was lost.
func readSide(s Store, log string) (r sideRecord, exists bool) {
	c, ok := s.Cursor(edged.SideCursor(log))
	if !ok || c.Lost || json.Unmarshal(c.Data, &r) != nil {
		return sideRecord{}, false
	}
	return r, true
}

// sideLog is a side log, as who appends to it knows it. There is one who does at a time, and its last update is committed.
type sideLog struct {
	s     Store
	name  string
	sinks []string
	only  bool // rows are for these sinks only
}

func newLateLog(s Store, c *StreamConfig) sideLog {
	return sideLog{s: s, name: edged.SideLog(c.Name, edged.Late), sinks: []string{c.Late}}
}

// cursor holds the log itself as long as a delivery has no cursor that does: a sink may begin later than its stream.
func (l *sideLog) cursor(r *sideRecord) edged.Cursor {
	data, _ := json.Marshal(r) // numbers and strings only
	c := edged.Cursor{Name: edged.SideCursor(l.name), Data: data}
	for _, k := range l.sinks {
		if _, known := l.s.Cursor(edged.DeliveryCursor(l.name, k)); !known {
			c.Log, c.Need = l.name, edged.SpansFrom(1)
		}
	}
	return c
}

// count adds to an update how many rows of the log it has.
func (l *sideLog) count(u *edged.Update) {
	rows := uint64(0)
	for _, r := range u.Results {
		if r.Stream == l.name {
			rows += uint64(r.Rows)
		}
	}
	if rows == 0 {
		return
	}
	rec, exists := readSide(l.s, l.name)
	if !exists {
		rec.Life = newLife()
	}
	if !l.only {
		rec.Rows += rows
	}
	for i := 0; l.only && i < len(l.sinks); i++ {
		if rec.To == nil {
			rec.To = map[string]uint64{}
		}
		rec.To[l.sinks[i]] += rows
	}
	u.Cursors = append(u.Cursors, l.cursor(&rec))
}

// open makes the log exist, so that its deliveries open, and lets go of what they hold by now.
func (l *sideLog) open(ctx context.Context) error {
	rec, exists := readSide(l.s, l.name)
	if !exists {
		rec.Life = newLife()
	}
	next := l.cursor(&rec)
	if c, _ := l.s.Cursor(next.Name); exists && (len(c.Need) == 0 || len(next.Need) > 0) {
		return nil
	}
	return l.s.Commit(ctx, &edged.Update{Cursors: []edged.Cursor{next}}, true)
}

// OpenReplays makes the side log of a stream's replays exist: its deliveries open.
func OpenReplays(ctx context.Context, s Store, stream string) error {
	return (&sideLog{s: s, name: edged.SideLog(stream, edged.Replay)}).open(ctx)
}

// openSides makes a side log exist that the stream may append to from now on, and begins the counts anew of one that has lost them: until then its
// deliveries wait.
func (s *Stream) openSides(ctx context.Context) error {
	for _, side := range []string{edged.Late, edged.Replay} {
		l := sideLog{s: s.o.Store, name: edged.SideLog(s.name, side)}
		wanted := side == edged.Late && s.o.Config.Late != ""
		if wanted {
			l = newLateLog(s.o.Store, s.o.Config)
		}
		c, known := s.o.Store.Cursor(edged.SideCursor(l.name))
		if !known && !wanted {
			continue
		}
		if c.Lost {
			s.o.Log.Error("the counts of a side log were lost: they begin anew, its rows are all there", "log", l.name)
		}
		if err := l.open(ctx); err != nil {
			return fmt.Errorf("stream %s: %w", s.name, err)
		}
	}
	return nil
}

// sideRows gathers rows of a side log until they make an entry: a bucket for each row would cost the card a page.
type sideRows struct {
	log   string
	sinks []string // that they are for; none: all
	rows  edged.Rows
	size  int
}

// end is called when a row's cells were appended to rows.Cells: it becomes the owner of their texts. It reports whether there is enough for an entry
// of about so many bytes.
func (g *sideRows) end(most int) (full bool) {
	row := g.rows.Cells[len(g.rows.Cells)-len(g.rows.Names):]
	for i, v := range row {
		row[i] = own(v)
		g.size += 24 + len(v.Str())
	}
	g.rows.At = append(g.rows.At, edged.Pos{})
	return g.size >= most
}

// entry makes an entry of what is gathered, which must be something, and begins anew.
func (g *sideRows) entry() edged.Result {
	r := edged.Result{Stream: g.log, Rows: uint32(g.rows.Len()), Data: rowcodec.AppendFor(nil, &g.rows, g.sinks)}
	clear(g.rows.Cells)
	g.rows.Cells, g.rows.At, g.size = g.rows.Cells[:0], g.rows.At[:0], 0
	return r
}
