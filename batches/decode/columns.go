package decode

import (
	"errors"
	"fmt"
	"strings"

	"edged"
)

// Check says why the decoder cannot produce the column of a path: nil if it can.
func (k *Kind) Check(path []string) error {
	switch {
	case k.Open == Nested:
		return nil
	case k.Open == Flat && len(path) == 1, k.find(strings.Join(path, ".")) >= 0:
		return nil
	}
	whose := k.Whose
	if whose == "" {
		whose = "payloads of this kind have"
	}
	text := fmt.Sprintf("there is no column %q: %s ", strings.Join(path, "."), whose)
	switch {
	case k.Open == Flat:
		text += "no columns within columns"
	case len(k.Columns) == 0:
		text += "no columns"
	case len(k.Columns) == 1:
		text += fmt.Sprintf("only the column %q", k.Columns[0].Name)
	default:
		names := make([]string, len(k.Columns))
		for i, c := range k.Columns {
			names[i] = c.Name
		}
		text += "only " + strings.Join(names, ", ")
	}
	return errors.New(text + k.Hint)
}

// TypeOf is the type of the column of a path, Absent if it can be any.
func (k *Kind) TypeOf(path []string) edged.Kind {
	if i := k.find(strings.Join(path, ".")); i >= 0 {
		return k.Columns[i].Type
	}
	return edged.Absent
}

func (k *Kind) find(name string) int {
	for i := range k.Columns {
		if k.Columns[i].Name == name {
			return i
		}
	}
	return -1
}

// names finds the slot of a column by its name, without an allocation.
type names map[string]int

func namesOf(paths [][]string) names {
	n := names{}
	for i, p := range paths {
		if len(p) == 1 {
			n[p[0]] = i
		}
	}
	return n
}

// slot returns the slot of a name, or -1.
func (n names) slot(name []byte) int {
	if i, ok := n[string(name)]; ok {
		return i
	}
	return -1
}
