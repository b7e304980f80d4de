package conf

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Written is what the file says in a table, as text: two tables with the same text say the same. The keys of the table itself may stand in any
// order; those of tables in it may not, since some of them are lists (columns, pins). Keys in except are left out. A nil table has "".
func (t *Table) Written(except ...string) string {
	if t == nil {
		return ""
	}
	var b strings.Builder
	keys := t.Keys()
	slices.Sort(keys)
	for _, k := range keys {
		if !slices.Contains(except, k) {
			fmt.Fprintf(&b, "%q=", k)
			t.doc.write(&b, append(t.path[:len(t.path):len(t.path)], k), t.m[k])
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func (d *Doc) write(b *strings.Builder, path []string, v any) {
	switch x := v.(type) {
	case string:
		b.WriteString(strconv.Quote(x))
	case []any:
		b.WriteByte('[')
		for _, e := range x {
			d.write(b, path, e)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case map[string]any:
		keys := make([]string, 0, len(x))
		for _, k := range d.order[joinPath(path)] {
			if _, ok := x[k]; ok && !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
		var rest []string // of a table in a list
		for k := range x {
			if !slices.Contains(keys, k) {
				rest = append(rest, k)
			}
		}
		slices.Sort(rest)
		b.WriteByte('{')
		for _, k := range append(keys, rest...) {
			fmt.Fprintf(b, "%q=", k)
			d.write(b, append(path[:len(path):len(path)], k), x[k])
			b.WriteByte(',')
		}
		b.WriteByte('}')
	default:
		fmt.Fprintf(b, "%T %v", x, x)
	}
}

// Differences are the keys, dotted, in which two structs that were bound differ. a and b point to structs of one type. What is in a *Table is
// its owner's to compare.
func Differences(a, b any) []string {
	return differences("", reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem())
}

func differences(prefix string, a, b reflect.Value) (out []string) {
	to := fieldsOf(b)
	for i, f := range fieldsOf(a) {
		x, y := f.value, to[i].value
		if x.Type() == reflect.TypeFor[*Table]() {
			continue
		}
		if _, own := x.Addr().Interface().(Setter); x.Kind() == reflect.Struct && !own {
			out = append(out, differences(prefix+f.key+".", x, y)...)
		} else if !reflect.DeepEqual(x.Interface(), y.Interface()) {
			out = append(out, prefix+f.key)
		}
	}
	return out
}
