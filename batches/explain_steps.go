package batches

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"edged/internal/conf"
)

// Keys that an explanation shows in their own places.
var shownElsewhere = []string{"from", "topics", "decode", "time", "time_unit", "allowed_lateness", "max_future", "idle", "max_groups"}

// steps lists the keys that are not at their defaults, in the order in which they apply: that of StreamConfig, but that flat_map comes before join.
func steps(c *StreamConfig) []Step {
	out := stepsOf("", reflect.ValueOf(c).Elem(), reflect.ValueOf(DefaultStream()).Elem())
	flat := slices.IndexFunc(out, func(s Step) bool { return s.Key == "flat_map" })
	if join := slices.IndexFunc(out, func(s Step) bool { return s.Key == "join" }); join >= 0 && flat > join {
		s := out[flat]
		out = slices.Insert(slices.Delete(out, flat, flat+1), join, s)
	}
	return out
}

func stepsOf(table string, v, usual reflect.Value) (out []Step) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			out = append(out, stepsOf(table, v.Field(i), usual.Field(i))...)
			continue
		}
		key := table + f.Tag.Get("toml")
		if f.Tag.Get("toml") == "" || slices.Contains(shownElsewhere, key) || reflect.DeepEqual(v.Field(i).Interface(), usual.Field(i).Interface()) {
			continue
		}
		field, was := v.Field(i), usual.Field(i)
		if field.Kind() == reflect.Pointer && !field.IsNil() && !was.IsNil() {
			field, was = field.Elem(), was.Elem()
		}
		switch x := field.Interface().(type) {
		case conf.Pairs:
			for _, pr := range x {
				out = append(out, Step{Key: key, Name: pr.Key, Text: pr.Value})
			}
		default:
			if field.Kind() == reflect.Struct && field.NumField() > 0 && field.Type().Field(0).Tag.Get("toml") != "" {
				out = append(out, stepsOf(key+".", field, was)...)
				continue
			}
			out = append(out, Step{Key: key, Text: inWords(x), Note: firstClause(f.Tag.Get("doc"))})
		}
	}
	return out
}

// inWords writes a value as the configuration does, nearly.
func inWords(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case fmt.Stringer:
		return x.String()
	case []string:
		return strings.Join(x, ", ")
	}
	text, _ := json.Marshal(v) // numbers and texts
	return string(text)
}

// firstClause is a key's documentation up to its first semicolon or the end of its first sentence.
func firstClause(doc string) string {
	if i := strings.IndexByte(doc, ';'); i >= 0 {
		doc = doc[:i]
	}
	doc, _, _ = strings.Cut(doc, ". ")
	return doc
}
