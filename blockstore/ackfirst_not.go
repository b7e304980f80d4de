//go:build !edged_ackfirst

package blockstore

// ackFirst does nothing: acknowledgements follow the commit. The build tag edged_ackfirst makes a program in which they come before
// it: the crash tests run it to show that they would notice. It is for them alone.
func (r *round) ackFirst() {}
