package batches

import "edged"

// deadLetters is the feed of the dead letters: the result log to which streams and sinks append them, one an entry.
type deadLetters struct{ s Store }

// DeadLetterFeed makes a feed of the dead letters.
func DeadLetterFeed(s Store) edged.Feed { return deadLetters{s} }

func (d deadLetters) place(seq uint64) edged.Place {
	return edged.Place{Log: edged.DeadLetters, Pos: edged.Pos{Seq: seq}}
}

// Oldest implements edged.Feed.
func (d deadLetters) Oldest() (edged.Place, error) { return d.place(1), nil }

// End implements edged.Feed.
func (d deadLetters) End() edged.Place { return d.place(d.s.ResultEnd(edged.DeadLetters)) }

// Watch implements edged.Feed: nobody waits for a dead letter, the batch interval is soon enough.
func (d deadLetters) Watch(func()) (stop func()) { return func() {} }

// Produced implements edged.Feed.
func (d deadLetters) Produced() uint64 { return edged.CountOf(d.s.ResultEnd(edged.DeadLetters)) - 1 }

// Life implements edged.Feed.
func (d deadLetters) Life() uint64 { return 0 }

// Read implements edged.Feed.
func (d deadLetters) Read(from, until edged.Place, limits edged.Limits) (edged.Reading, error) {
	stop := d.End().Pos
	if until != (edged.Place{}) && until.Before(stop) {
		stop = until.Pos
	}
	r := edged.Reading{From: from, To: from, Like: "results"}
	return r, readResults(d.s, edged.DeadLetters, &r, stop, limits)
}
