package batches

import "slices"

// Columns are the names that the rows of the stream have, in their order; a row need not have a value for each.
func (p *Plan) Columns() []string { return slices.Clone(p.names) }
