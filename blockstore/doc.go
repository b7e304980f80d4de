// Package blockstore keeps the gateway's two logs, its cursors and its state in one bbolt file, written by one committer.
//
// It takes the place of Spark's BlockManager, ReceivedBlockTracker and write-ahead log: where Spark logs an addition, an
// allocation and a clean-up each on its own, here a step is one transaction, so that nothing can be half true.
//
// # What is in it
//
// The block log holds blocks and ticks under ascending sequence numbers that are never reused. A result log per stream
// holds what its windows produced. Cursors say which parts of a log their consumer still needs; they carry the
// consumer's own record (counts, receipts, ranges under way) so that position and record move together. Puts hold
// everything else that must survive: window state, retained messages. FORMAT.md describes every byte; docs/adr/0015-recovery.md what
// becomes of damaged ones.
//
// # The way in
//
// Receivers' block generators are Sources. The committer pulls: at each round it cuts every source's open block, takes
// what is queued, asks the consumers that ride along for their progress, adds the updates that wait, and writes one
// transaction. N receivers therefore cost one commit, not N, and an acknowledgement never waits for a block interval and
// a commit interval both. Where more waits than a round takes, rounds follow each other at once (TestARoundIsBounded).
//
// # Invariants
//
//  1. A parcel's Done(nil) is called only after the transaction with its block was synced to disk (TestDoneMeansStored).
//  2. Within one source, blocks are stored in the order in which they were cut (TestModel).
//  3. A sequence number names one entry for ever (TestNumbersAreNeverReused).
//  4. A tick's cut of a receiver is at or before the arrival of every later message of it (TestTickNeverOvertakesBlocks). Of a chained stream it is what the
//     stream gave, of which everything before is committed (TestBlocksOfUpdates).
//  5. An entry is deleted only when no cursor needs it, and every consumer that there is to be has one (TestModel,
//     TestWhatComesBeforeItsConsumerIsThere); the newest tick never.
//  6. An update is durable as a whole or not at all; an update submitted before a message was handed to Take is durable no
//     later than that message's block (TestUpdateBeforeBlock).
//  7. Nothing is written when there is no input, no open window and no update (TestIdleWritesNothing); a window at the end of a chain has one tick
//     written for each stage (TestAChainIsWoken).
//  8. Whatever stands in the place of the file: the store opens, what can be read is there, what cannot is in a note, and nothing is
//     deleted; only a newer format, another process and a full disk are reasons not to open (TestWhatIsNoStoreIsSetAside,
//     TestDamagedMetaPages, FuzzOpen).
//  9. A cursor that damage has taken holds everything that is kept, until its consumer has moved it (TestADamagedCursor).
//  10. An interruption of the making, salvaging or compacting of a file at any step loses nothing (TestAnInterruptedSalvageGoesOn).
package blockstore
