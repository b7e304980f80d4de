package edged

// Place is a position in one of the logs: the block log ("") or a stream's result log.
type Place struct {
	Log string
	Pos
}

// Limits bound what is read at once.
type Limits struct {
	Rows  int
	Bytes int64 // about
	Into  *Rows // which nobody needs any more: its memory is used again; nil: there is none
}

// Reading is a run of rows between two places of a stream's output.
type Reading struct {
	Rows *Rows // may be empty: everything between From and To was filtered or set aside
	From Place
	To   Place  // where the next reading begins; it may be in another log than From
	Like string // what the rows' bytes depend on besides the log: the definition they were read with
	More bool   // there is more to read at once

	Bytes int64 // of the rows when they are written, about
}

// Feed is one stream's output, as deliveries read it. Each delivery has its own.
type Feed interface {
	// Oldest is the first place that is still kept, End the place after everything that the stream has passed.
	Oldest() (Place, error)
	End() Place
	// Read reads rows from a place on, to until at most (the zero Place: as far as there is). The same from and until give
	// the same rows for ever. Entries that cannot be read are passed over; Produced tells what is missing. The rows belong
	// to the caller.
	Read(from, until Place, limits Limits) (Reading, error)
	// Watch has wake called when End moves on, until stop is called. wake must not block.
	Watch(wake func()) (stop func())
	// Produced is the number of rows that the stream has given to its deliveries so far.
	Produced() uint64
	// Life changes when the stream had to begin that count anew, because damage has taken its record: who counts by Produced
	// does so, too.
	Life() uint64
	// Resumed is what Produced was when the stream opened, if the feed was made before; else it is Produced. Who has passed more than that when it opens holds a newer state than
	// the stream's, which is an older copy since the newest was damaged: what the stream gave since then it gives again.
	Resumed() uint64
}
