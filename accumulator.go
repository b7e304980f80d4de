package edged

// Window is a half-open stretch of time, [Start, End), in nanoseconds since 1970.
type Window struct {
	Epoch      uint32 // windows over arrival time only; 0 otherwise
	Start, End int64
}

// Accumulator is one aggregate of one group in one pane of time.
//
// Rows are added in log order; at is the row's time on the stream's clock, in nanoseconds. Merge joins a later, disjoint
// part of the same group and leaves later alone; it is commutative only where the aggregate says so. Result is asked for
// a window's merged accumulator; prev is that of all that is known from before the window, of which the last reading
// counts, or nil (rates need both).
// AppendBinary writes the state that a checkpoint keeps; UnmarshalBinary reads it back, and copies what it keeps.
type Accumulator interface {
	Add(v Value, at int64)
	Merge(later Accumulator)
	Result(w Window, prev Accumulator) Value
	AppendBinary(b []byte) []byte
	UnmarshalBinary(b []byte) error
}
