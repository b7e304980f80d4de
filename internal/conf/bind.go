package conf

import (
	"fmt"
	"reflect"
	"strings"
)

// Setter is a field type that reads its own TOML value. The error ends a sentence that begins with the key.
type Setter interface{ SetTOML(v any) error }

// Bind fills the structs that into points to, which share the table: every key belongs to one of them. Unknown keys and
// values of the wrong type are reported; fields whose key is missing keep what they hold.
func (t *Table) Bind(into ...any) {
	fields := map[string]reflect.Value{}
	var known []string
	for _, p := range into {
		for _, f := range fieldsOf(reflect.ValueOf(p).Elem()) {
			fields[f.key] = f.value
			known = append(known, f.key)
		}
	}
	for _, key := range t.Keys() {
		field, ok := fields[key]
		if !ok {
			t.Errorf(key, "unknown key %q%s%s", key, t.in(), Suggest(key, known))
			continue
		}
		t.set(key, field, t.m[key])
	}
}

func (t *Table) in() string {
	if len(t.path) == 0 {
		return ""
	}
	return " in [" + t.Title() + "]"
}

func (t *Table) set(key string, field reflect.Value, v any) {
	if s, ok := field.Addr().Interface().(Setter); ok {
		if err := s.SetTOML(v); err != nil {
			t.Errorf(key, "%s: %v", key, err)
		}
		return
	}
	switch p := field.Addr().Interface().(type) {
	case *Pairs:
		t.setPairs(key, p)
		return
	case **Table: // bound later, by its owner
		*p = t.Sub(key)
		return
	}
	switch field.Kind() {
	case reflect.Struct:
		if sub := t.Sub(key); sub != nil {
			sub.Bind(field.Addr().Interface())
		}
		return
	case reflect.Pointer:
		if sub := t.Sub(key); sub != nil {
			if field.IsNil() {
				field.Set(reflect.New(field.Type().Elem()))
			}
			sub.Bind(field.Interface())
		}
		return
	}
	if err := setPlain(field, v); err != nil {
		t.Errorf(key, "%s: %v", key, err)
	}
}

func setPlain(field reflect.Value, v any) error {
	switch x := v.(type) {
	case string:
		if field.Kind() == reflect.String {
			field.SetString(x)
			return nil
		}
	case bool:
		if field.Kind() == reflect.Bool {
			field.SetBool(x)
			return nil
		}
	case int64:
		switch field.Kind() {
		case reflect.Int:
			if int64(int(x)) != x {
				return fmt.Errorf("%d is too large", x)
			}
			field.SetInt(x)
			return nil
		case reflect.Float64:
			field.SetFloat(float64(x))
			return nil
		}
	case float64:
		if field.Kind() == reflect.Float64 {
			field.SetFloat(x)
			return nil
		}
	case []any:
		if field.Type() == reflect.TypeFor[[]string]() {
			list := make([]string, len(x))
			for i, e := range x {
				s, ok := e.(string)
				if !ok {
					return fmt.Errorf("want a list of strings, have %s in it", describe(e))
				}
				list[i] = s
			}
			field.Set(reflect.ValueOf(list))
			return nil
		}
	}
	return fmt.Errorf("want %s, have %s", TypeName(field.Type()), describe(v))
}

type boundField struct {
	key, doc string
	value    reflect.Value
}

// fieldsOf lists the tagged fields of a struct, those of embedded structs in their place.
func fieldsOf(v reflect.Value) []boundField {
	var out []boundField
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			out = append(out, fieldsOf(v.Field(i))...)
			continue
		}
		key, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		if key == "" || key == "-" {
			continue
		}
		out = append(out, boundField{key, f.Tag.Get("doc"), v.Field(i)})
	}
	return out
}

func describe(v any) string {
	switch x := v.(type) {
	case string:
		return fmt.Sprintf("the string %q", x)
	case bool:
		return fmt.Sprintf("%t", x)
	case int64, float64:
		return fmt.Sprintf("the number %v", x)
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return fmt.Sprintf("%v", v)
}
