package decode

import "edged"

// Lines is the kind lines: UTF-8 text of which each line that is not empty is a row, and the column "value".
var Lines = Kind{
	Columns: []Column{{Value, edged.Text}}, Many: true, PayloadName: "payload",
	New: func(paths [][]string) Decoder { return &lined{p: &linesParser{namesOf(paths).slot([]byte(Value))}} },
}

type linesParser struct{ at int }

func (p *linesParser) begin([]byte) (int, error) { return 0, nil }

func (p *linesParser) row(rest []byte, cols []edged.Value) (int, error) {
	n := lineLen(rest)
	if cols != nil && p.at >= 0 {
		cols[p.at] = edged.TextValue(view(rest[:n]))
	}
	return n, nil
}
