package spec

// Names is implemented by a Config with keys that name columns of the rows. They are held against the columns of the sink's streams when the configuration
// is loaded: a name that no row can ever have is a mistake.
type Names interface {
	// Named lists the columns, and is called after Check. What stands in a key that is wrong itself is left out.
	Named() []Named
}

// Named is a column that is named.
type Named struct {
	Table  string // the table in the sink's own that has the key; "": that itself has it
	Key    string
	Column string
	// Filled says that something else stands in its place where a row has no such column, so that it is worth a note if the rows of one of several
	// streams have none.
	Filled bool
}

// NamedIn are the columns that a key names.
func NamedIn(key string, columns []string, filled bool) (list []Named) {
	for _, c := range columns {
		list = append(list, Named{Key: key, Column: c, Filled: filled})
	}
	return list
}
