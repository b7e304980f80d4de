package conf

import (
	"fmt"
	"reflect"
	"strconv"
)

// KeyDoc is one line of the configuration reference.
type KeyDoc struct {
	Key     string // dotted below the table: tls.cert
	Type    string
	Default string // as it would be written in the file; "" for what has none
	Doc     string
}

// Describe lists the keys of a struct, with what it holds as the defaults.
func Describe(config any) []KeyDoc {
	return describeStruct("", reflect.ValueOf(config).Elem())
}

func describeStruct(prefix string, v reflect.Value) []KeyDoc {
	var out []KeyDoc
	for _, f := range fieldsOf(v) {
		key, val := prefix+f.key, f.value
		if val.Type() == reflect.TypeFor[*Table]() {
			continue // described by its owner
		}
		if val.Kind() == reflect.Pointer && val.Type().Elem().Kind() == reflect.Struct {
			if val.IsNil() {
				val = reflect.New(val.Type().Elem())
			}
			val = val.Elem()
		}
		if _, own := val.Addr().Interface().(Setter); val.Kind() == reflect.Struct && !own {
			out = append(out, KeyDoc{Key: key, Type: "table", Doc: f.doc})
			out = append(out, describeStruct(key+".", val)...)
			continue
		}
		out = append(out, KeyDoc{key, TypeName(val.Type()), literal(val), f.doc})
	}
	return out
}

func literal(v reflect.Value) string {
	switch x := v.Addr().Interface().(type) {
	case *Pairs:
		return "{}"
	case fmt.Stringer:
		return strconv.Quote(x.String())
	}
	switch v.Kind() {
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Slice:
		s := "["
		for i := range v.Len() {
			if i > 0 {
				s += ", "
			}
			s += strconv.Quote(v.Index(i).String())
		}
		return s + "]"
	}
	return fmt.Sprint(v.Interface())
}

// TypeName says a field's type in the words of a message: "want a whole number".
func TypeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Duration]():
		return "a duration"
	case reflect.TypeFor[Size]():
		return "a size"
	case reflect.TypeFor[AutoSize]():
		return `a size or "auto"`
	case reflect.TypeFor[Rate]():
		return "a rate"
	case reflect.TypeFor[ByteRate]():
		return "a rate of bytes"
	case reflect.TypeFor[Pairs]():
		return "a table of strings"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list of strings"
	}
	return "a table"
}
