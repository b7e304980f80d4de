package rowjson

import "edged"

// AppendNDJSON appends one object a line: "stream" first, then the columns in order. Absent cells are left out.
func AppendNDJSON(dst []byte, rows *edged.Rows) []byte {
	var room scratch
	o := Objects{rows: rows}
	o.text, o.ends = appendShared(room.text[:0], room.ends[:0], rows)
	for i := range rows.Len() {
		dst = append(o.Append(dst, i), '\n')
	}
	return dst
}

// AppendJSON appends one array of the same objects, without line breaks.
func AppendJSON(dst []byte, rows *edged.Rows) []byte {
	var room scratch
	o := Objects{rows: rows}
	o.text, o.ends = appendShared(room.text[:0], room.ends[:0], rows)
	dst = append(dst, '[')
	for i := range rows.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = o.Append(dst, i)
	}
	return append(dst, ']')
}

// Objects encodes single rows as JSON objects. What all rows of one Rows share, the stream and the names, is encoded by
// Reset, once. The zero value is ready for Reset.
type Objects struct {
	rows  *edged.Rows
	text  []byte // `{"stream":"pins"`, then `,"name":` of each column, end to end
	ends  []int  // of each of them in text
	times stamp
}

// Reset takes the rows that Append is to encode; nil lets go of them.
func (o *Objects) Reset(rows *edged.Rows) {
	o.rows = rows
	if rows != nil {
		o.text, o.ends = appendShared(o.text[:0], o.ends[:0], rows)
	}
}

func appendShared(text []byte, ends []int, rows *edged.Rows) ([]byte, []int) {
	text = AppendString(append(text, `{"stream":`...), rows.Stream)
	ends = append(ends, len(text))
	for _, name := range rows.Names {
		text = append(AppendString(append(text, ','), name), ':')
		ends = append(ends, len(text))
	}
	return text, ends
}

// Append appends row i as one object without a line break.
func (o *Objects) Append(dst []byte, i int) []byte {
	dst = append(dst, o.text[:o.ends[0]]...)
	cells := o.rows.Row(i)
	for c := range cells {
		cell := &cells[c] // it is large for a copy
		kind := cell.Kind()
		if kind == edged.Absent {
			continue
		}
		dst = append(dst, o.text[o.ends[c]:o.ends[c+1]]...)
		switch kind {
		case edged.Time:
			dst = append(o.times.append(append(dst, '"'), cell.Nanos()), '"')
		case edged.JSON:
			dst = append(dst, cell.Str()...)
		default:
			dst = AppendValue(dst, *cell)
		}
	}
	return append(dst, '}')
}

// scratch is room on the stack for what all but the widest rows share.
type scratch struct {
	text [1024]byte
	ends [48]int
}
