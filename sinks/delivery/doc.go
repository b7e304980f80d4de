// Package delivery brings the rows of streams to their sinks.
//
// A delivery is a (stream, sink) pair with a cursor of its own: a dead sink holds back only itself. A Writer is the one
// writer of a sink. It works in turns: it takes what all its streams have waiting, commits the ranges before the first byte
// leaves, writes, and commits what became of them: receipt and cursors in one transaction, together with the ranges of the
// next turn. So a kill anywhere leaves either nothing of a range or a range that is known and comes again with the same
// key and the same bytes.
//
// # Invariants
//
//  1. Nothing is written to a sink before its range, with the encoder's hash, is committed (TestRangesComeFirst).
//  2. The same key always carries the same bytes, whatever the limits, splits and restarts in between (TestKeysAreStable).
//  3. A cursor moves only over rows that the sink confirmed, that became dead letters, or that a configured limit dropped;
//     each is counted once (TestKeysAreStable, TestDropping).
//  4. Rows of a stream reach a sink in log order (TestKeysAreStable).
//  5. A sink that fails holds back its own deliveries only; drop_oldest and drop_newest lose exactly what they count
//     (TestDropping).
package delivery
