package sizing

import "time"

// What was measured, how, and what is assumed. Bytes are exact wherever they are measured; times are those of one machine.
//
// Of commits and pages: what the library puts around entries, counted; and how turns fall together, fitted to the pipeline of test/wear in virtual time with 0.1 to
// 1,000 messages a second and 1 to 4 sinks, 15 minutes after the start: all 26 cases were within a fifth. Some of them, and how far off the model is:
//
//	go test -count=1 -v -run TestTheModelAgainstAStore ./configs/sizing
//
// Of processor and memory: the program, on x86_64 with 2 processors that the load generator shared, messages of 66 bytes, raw file and windows of 10 s;
//
//	EDGED_BENCH=1 go test -count=1 -v -run TestConstants ./test/bench
const (
	page       = 4096            // of the store's file
	leafFull   = page / 2        // a page of the top level is filled so far when entries come in order
	shelfFull  = page - 16       // and one of the shelf
	topMost    = 160             // entries of the block log at the top level; then all are moved to the shelf
	inlineMost = page/4 - 33     // a longer entry has pages of its own; 33 is what the library puts around it
	inlineHead = 74              // around a shorter one, in its parent's page
	ownHead    = 41              // what stands there of a longer one
	branchMost = 163             // leaves below one branch page before it is split
	branchFull = branchMost / 2  // and afterwards: fewer than the shelf has
	freeEvery  = 5 * time.Second // what nobody needs is deleted so often
	tickBytes  = 36              // of a tick, besides receivers and streams
	tickEach   = 20              // of a receiver in it, besides its name
	tickStream = 3               // likewise of a stream
	blockBytes = 62              // of a block, besides names, topics and messages
	perMessage = 7               // around each message in a block
	blockClear = 59              // of a block's bytes, what is never packed
	blockPacks = 0.5             // what packing leaves of what follows its first message: readings in JSON, 0.45 to 0.55 in blocks of 5 to 50
	packsAfter = 8 << 10         // behind so many bytes it leaves
	packsTo    = 0.25            // so much: 0.2 to 0.3 in blocks of 1,000. The store packs for 10 ms of a second at most, some 10 MB: that is not modelled
	resultHead = 70              // of an entry with results, besides the names of its columns
	cellNumber = 9               // of a number or time in it; a text has its length and two
	groupPut   = 70              // around a saved group: its key and what the library puts around it

	turnCommits  = 2.0 // of a sink that is given rows one by one: its ranges, and its receipt
	turnOverlap  = 0.7 // how soon turns come to share them, as their rate grows: they wait for the cadence
	turnEager    = 0.3 // likewise with commit = "eager", where nobody waits
	turnsMost    = 1.5 // in a batch interval, however much comes
	closeCommits = 3.0 // of a window's end: its results, and the turn that delivers them

	packs = 0.2 // of NDJSON that is compressed: gzip left 0.14 of raw rows and 0.12 of windows with random readings; the rest is for worse ones

	heldMessage = 17  // bytes of the memory cache around a message, whose block is not packed there
	heldCommit  = 400 // and around a block and the tick behind it

	perCommit = 600 * time.Microsecond // processor time
	perIntake = 20 * time.Microsecond  // likewise, of a message from the wire through two streams into two files
	idleRSS   = 8 << 20                // anonymous memory of a gateway that has nothing to do
	loadRSS   = 25 << 20               // that it takes besides while messages flow, at 5,000 a second
)

// What is assumed where nobody says anything else.
const (
	defaultRate   = 10.0 // messages a second
	defaultTopics = 10
	defaultBytes  = 66                    // a JSON object with a value, a time and a number
	defaultPin    = 0.1                   // changes a second of a pin that reports edges
	defaultSync   = 10 * time.Millisecond // of one commit, which syncs once
	pinBytes      = 96                    // the payload of a pin

	// A card of 32 GB whose cells bear 1,000 erasures, and which erases four times what is written because writes are small and synced: no maker of consumer cards
	// promises more than a warranty in years, so that this is an assumption and no measurement.
	cardGB, cardCycles, cardAmplifies = 32, 1000, 4
	cardTBW                           = cardGB * cardCycles / cardAmplifies / 1000.0 // TB that edged can write
)

const day = 24 * time.Hour
