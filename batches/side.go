package batches

import (
	"context"
	"encoding/json"
	"fmt"

	"edged"
	"edged/internal/rowcodec"
)

// A stream has result logs besides that of its results (docs/adr/0021-side-logs.md): NAME.late and NAME.replay. Their entries are appended as results
// are, and delivered as they are; a cursor that needs nothing counts their rows in the same update.

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

func (r *sideRecord) cursor(log string) edged.Cursor {
	data, _ := json.Marshal(r) // numbers and strings only
	return edged.Cursor{Name: edged.SideCursor(log), Data: data}
}

// countSide adds to an update how many rows of a side log it has, all of them for these sinks; none means all. There is one writer of a side log at a
// time, and its last update is committed.
func countSide(s Store, log string, sinks []string, u *edged.Update) {
	rows := uint64(0)
	for _, r := range u.Results {
		if r.Stream == log {
			rows += uint64(r.Rows)
		}
	}
	if rows == 0 {
		return
	}
	rec, exists := readSide(s, log)
	if !exists {
		rec.Life = newLife()
	}
	if len(sinks) == 0 {
		rec.Rows += rows
	}
	for _, k := range sinks {
		if rec.To == nil {
			rec.To = map[string]uint64{}
		}
		rec.To[k] += rows
	}
	u.Cursors = append(u.Cursors, rec.cursor(log))
}

// OpenSide makes a side log exist: its deliveries open.
func OpenSide(ctx context.Context, s Store, log string) error {
	if _, exists := readSide(s, log); exists {
		return nil
	}
	return s.Commit(ctx, &edged.Update{Cursors: []edged.Cursor{(&sideRecord{Life: newLife()}).cursor(log)}}, true)
}

// openSides makes a side log exist that the stream may append to from now on, and begins the counts anew of one that has lost them: until then its
// deliveries wait.
func (s *Stream) openSides(ctx context.Context) error {
	for _, side := range []string{edged.Late, edged.Replay} {
		log := edged.SideLog(s.name, side)
		_, known := s.o.Store.Cursor(edged.SideCursor(log))
		if _, exists := readSide(s.o.Store, log); exists || !known && (side != edged.Late || s.o.Config.Late == "") {
			continue
		}
		if known {
			s.o.Log.Error("the counts of a side log were lost: they begin anew, its rows are all there", "log", log)
		}
		if err := OpenSide(ctx, s.o.Store, log); err != nil {
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
