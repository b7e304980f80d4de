package batches

import "slices"

// Names are the names that the rows of the stream have, in their order; a row need not have a value for each.
func (p *Plan) Names() []string { return slices.Clone(p.names) }
