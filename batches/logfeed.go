package batches

import "edged"

// logFeed is the feed of a result log that is nothing but itself: of the dead letters, one an entry, to which streams and sinks append them, and of
// the side logs. It implements edged.Feed.
type logFeed struct {
	s     Store
	log   string
	sink  string                                  // rows for other sinks are left out
	count func() (rows, life uint64, exists bool) // what the log has had for the sink
}

// DeadLetterFeed makes a feed of the dead letters.
func DeadLetterFeed(s Store) edged.Feed {
	return logFeed{s, edged.DeadLetters, edged.DeadLetters, func() (rows, life uint64, exists bool) {
		return edged.CountOf(s.ResultEnd(edged.DeadLetters)) - 1, 0, true
	}}
}

// SideFeed makes a feed of what a side log has for a sink.
func SideFeed(s Store, log, sink string) edged.Feed {
	return logFeed{s, log, sink, func() (rows, life uint64, exists bool) {
		r, exists := readSide(s, log)
		return r.Rows + r.To[sink], r.Life, exists
	}}
}

func (f logFeed) place(seq uint64) edged.Place {
	return edged.Place{Log: f.log, Pos: edged.Pos{Seq: seq}}
}

// Oldest implements edged.Feed.
func (f logFeed) Oldest() (edged.Place, error) {
	if _, _, exists := f.count(); !exists {
		return edged.Place{}, errNotOpen
	}
	return f.place(1), nil
}

// End implements edged.Feed.
func (f logFeed) End() edged.Place {
	if _, _, exists := f.count(); !exists {
		return edged.Place{}
	}
	return f.place(f.s.ResultEnd(f.log))
}

// Watch implements edged.Feed: nobody waits for these rows, the batch interval is soon enough.
func (f logFeed) Watch(func()) (stop func()) { return func() {} }

// Produced implements edged.Feed.
func (f logFeed) Produced() uint64 {
	rows, _, _ := f.count()
	return rows
}

// Life implements edged.Feed.
func (f logFeed) Life() uint64 {
	_, life, _ := f.count()
	return life
}

// Resumed implements edged.Feed: whoever appends to the log does not open it.
func (f logFeed) Resumed() uint64 { return f.Produced() }

// Read implements edged.Feed.
func (f logFeed) Read(from, until edged.Place, limits edged.Limits) (edged.Reading, error) {
	stop := f.End().Pos
	if until != (edged.Place{}) && until.Before(stop) {
		stop = until.Pos
	}
	r := edged.Reading{From: from, To: from, Like: "results"}
	return r, readResults(f.s, f.log, f.sink, &r, stop, limits)
}
