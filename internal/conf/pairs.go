package conf

// Pair is one entry of a table of strings.
type Pair struct{ Key, Value string }

// Pairs is a table of strings in the order of the file: the order of a row's columns.
type Pairs []Pair

// Get returns the value of a key.
func (p Pairs) Get(key string) (string, bool) {
	for _, e := range p {
		if e.Key == key {
			return e.Value, true
		}
	}
	return "", false
}

func (t *Table) setPairs(key string, into *Pairs) {
	sub := t.Sub(key)
	if sub == nil {
		return
	}
	*into = nil
	for _, k := range sub.Keys() {
		s, ok := sub.m[k].(string)
		if !ok {
			sub.Errorf(k, "%s.%s: want a string, have %s", key, k, describe(sub.m[k]))
			continue
		}
		*into = append(*into, Pair{k, s})
	}
}
