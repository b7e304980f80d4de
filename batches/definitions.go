package batches

import (
	"encoding/json"
	"fmt"

	"edged"
)

// definitions is what the store keeps of a stream's definitions. A definition is in force for a stretch of a log; deliveries
// that lag behind a change read the stretch before it as it was defined when the stream itself passed it. So neither the
// ledger nor the bytes under a key change with the configuration.
type definitions struct {
	Current  string    `json:"current"`
	Segments []segment `json:"segments"` // in the order of time; the last one is open
}

// segment is a stretch of a log from which deliveries read.
type segment struct {
	Log        string `json:"log"` // "" for a stateless stream
	From       uint64 `json:"from"`
	To         uint64 `json:"to"` // edged.Forever for the open one
	Definition string `json:"definition,omitempty"`
}

func loadDefinitions(s Store, stream string) (*definitions, error) {
	var d *definitions
	err := s.Values(spaceDefinitions, func(key string, value []byte, err error) error {
		if key != stream {
			return nil
		}
		if err != nil {
			return err
		}
		d = new(definitions)
		return json.Unmarshal(value, d)
	})
	if err != nil {
		return nil, fmt.Errorf("the definition of stream %s that the store keeps cannot be read: %w", stream, err)
	}
	return d, nil
}

func (d *definitions) put(stream string) edged.Put {
	text, _ := json.Marshal(d) // strings and numbers only
	return edged.Put{Space: spaceDefinitions, Key: stream, Value: text, Apart: true}
}

// begin opens the segment of a plan at a place, and ends the one before it at end.
func (d *definitions) begin(p *Plan, from, end uint64) {
	d.Current = p.Definition
	next := segment{From: from, To: edged.Forever}
	if p.Logged() {
		next.Log = p.Name // results carry their own columns: how they were made does not matter to who reads them
	} else {
		next.Definition = p.Definition
	}
	if n := len(d.Segments); n > 0 {
		last := &d.Segments[n-1]
		if last.Log == next.Log && last.Definition == next.Definition {
			return
		}
		last.To = end
	}
	d.Segments = append(d.Segments, next)
}

// begins is the place at which a segment begins.
func (g segment) begins() edged.Place { return edged.Place{Log: g.Log, Pos: edged.Pos{Seq: g.From}} }

// reaches reports whether a place is in the segment or at its end, where a delivery stands that has read all of it.
func (g segment) reaches(at edged.Place) bool {
	return g.Log == at.Log && (at.Seq < g.To || at.Pos == edged.Pos{Seq: g.To})
}

// stretch returns the segment that a place is in. One at the end of a segment is at the beginning of the next; one that is in
// none is in a segment that was forgotten because nobody had anything to read in it any more, and so at the beginning of all.
func stretch(segs []segment, at edged.Place) (i int, in edged.Place) {
	for i, g := range segs {
		if !g.reaches(at) {
			continue
		}
		if at.Seq < g.From {
			at = g.begins()
		}
		if i == len(segs)-1 || at.Seq < g.To {
			return i, at
		}
		at = segs[i+1].begins()
	}
	return 0, segs[0].begins()
}

// prune forgets the segments that nobody reads any more: no delivery of the stream stands in one, and its part of the
// block log is gone.
func (d *definitions) prune(stream string, cursors []edged.Cursor, oldest uint64) {
	needed := func(g segment) bool {
		if g.Log == "" && g.To > oldest {
			return true
		}
		for _, c := range cursors {
			of, _, ok := edged.SplitDelivery(c.Name)
			if at, some := c.Need.Next(0); ok && of == stream && some && g.reaches(edged.Place{Log: c.Log, Pos: edged.Pos{Seq: at}}) {
				return true
			}
		}
		return false
	}
	for len(d.Segments) > 1 && !needed(d.Segments[0]) {
		d.Segments = d.Segments[1:]
	}
}
