package batches

import (
	"errors"

	"edged/batches/expression"
	"edged/internal/conf"
)

// flatMap takes the list that an expression gives apart: each element is a row, with the other columns as they are (Spark: flatMap). Where there is
// no list, there is one row with what there is; where there is nothing, there is no row.
type flatMap struct {
	name string
	list *expression.Expr
	slot int                  // of the element
	subs []expression.Subpath // fields of it that other expressions name
}

func (b *builder) flatMap(pairs conf.Pairs) {
	if len(pairs) == 0 {
		return
	}
	pr := pairs[0]
	if len(pairs) > 1 {
		b.fail("flat_map", pairs[1].Key, errors.New("a stream takes one list apart; chain a second stream for another"))
		return
	}
	b.name("flat_map", pr.Key)
	x, err := b.scope.CompileList(pr.Value)
	if err != nil {
		b.fail("flat_map", pr.Key, err)
		return
	}
	b.p.flat = &flatMap{name: pr.Key, list: x, slot: b.scope.Element(pr.Key)}
}

// unnest notes a row for each element of the list in r.row.
func (r *rowReader) unnest(arrival int64, payload []byte) (reason string) {
	f := r.p.flat
	for _, v := range r.eval.List(f.list, &r.row) {
		r.row.Cols[f.slot] = v
		for _, sub := range f.subs {
			r.row.Cols[sub.Slot] = expression.Field(v, sub.Path)
		}
		if reason := r.keep(arrival, payload); reason != "" {
			return reason
		}
	}
	return ""
}
