package batches

import "edged"

// TypeErrors are the values of a column that were not of its type, since the start of the gateway. Of a declared column they became null; of another, the type
// is that of the first value since the start, and they stayed what they were.
type TypeErrors struct {
	Column   string `json:"column"`
	Type     string `json:"type"`
	Declared bool   `json:"declared,omitempty"`
	Last     string `json:"last"` // the type of the last of them
	Values   uint64 `json:"values"`
}

// typeErrors lists the columns that had any. It may be called at any time, from any goroutine.
func (r *rowReader) typeErrors() (out []TypeErrors) {
	t, ok := r.dec.(*typed)
	if !ok {
		return nil
	}
	for _, c := range t.cols {
		if n := c.other.Load(); n > 0 {
			out = append(out, TypeErrors{c.name, c.typeName(), c.want != nil, declaredName(edged.Kind(c.last.Load())), n})
		}
	}
	return out
}

func (c *typedColumn) typeName() string {
	if c.want != nil {
		return c.want.name
	}
	return declaredName(edged.Kind(c.first.Load()))
}

// declaredName is what a kind of value is called where columns are declared.
func declaredName(kind edged.Kind) string {
	return [...]string{
		edged.Absent: "", edged.Null: "", edged.Bool: "bool", edged.Number: "float", edged.Time: "time", edged.Text: "text", edged.JSON: "object or array", edged.Bytes: "bytes",
	}[kind]
}

// count counts a value that is not of the column's type.
func (c *typedColumn) count(kind edged.Kind) {
	c.last.Store(uint32(kind))
	c.other.Add(1)
}

// sayTypes logs, once for each column, that it had values of another type. Run calls it; what a replay finds again is not said again.
func (s *Stream) sayTypes() {
	t, ok := s.r.dec.(*typed)
	if !ok || s.out.mute {
		return
	}
	for _, c := range t.cols {
		if c.said || c.other.Load() == 0 {
			continue
		}
		c.said = true
		became := "they stay as they are; declare the column with columns to have one type"
		if c.want != nil {
			became = "they are null"
		}
		s.o.Log.Warn("values of a column are not of its type: "+became+"; the status counts them", "stream", s.name, "column", c.name, "type", c.typeName())
	}
}
