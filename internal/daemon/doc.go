// Package daemon is the attic: the only place where the rooms meet. It makes every part from the configuration, gives each
// what it needs of the others as interfaces and function values, runs them, and stops them.
//
// # The order of stopping
//
// Parts stop in the direction in which data flows, each drained before the next is cancelled, so that what was taken in is
// stored, and what was stored gets as far as time allows:
//
//	files       no file is read again any more
//	gpio        no reading is made any more; what is queued goes to the broker
//	broker      nothing is taken in any more; what was taken is acknowledged as its commit comes
//	receivers   the last blocks are cut and stored
//	broker      connections are closed
//	streams     a last step over the last blocks; open windows are saved
//	sinks       a last turn; what does not go out stays on disk
//	store       the last commit, with everything that still moved
//
// The whole takes 5 s at most (stopWithin); what has not stopped by then is reported, and the process ends: everything
// acknowledged is on disk already. The lifecycle is Spark's ReceiverTracker's: initialized, started, stopping, stopped;
// starting twice is an error.
//
// # A changed configuration
//
// A reload exchanges the parts that changed, in the same direction, while the others run on: difference.go says which, exchange.go does
// it, and docs/adr/0016-reload.md says why so. What the parts are is one value (parts), which everybody asks for each time.
package daemon
