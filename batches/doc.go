// Package batches runs the streams: every batch interval each stream takes the blocks since its cursor, decodes them, and
// moves its windows (Spark: JobGenerator and the DStreams it schedules).
//
// The way of a row is fixed: decode, time, where, select, group_by, window, aggregate. A stream without a window is
// stateless: its deliveries read the block log themselves, behind the stream's own cursor, which alone counts and
// dead-letters. A stream with a window consumes the block log and appends what its windows give to its result log.
//
// # Invariants
//
//  1. Results depend on the log alone: batch interval, restarts and speed change nothing in them (TestResultsDependOnTheLogAlone).
//  2. What a step gives (results, dead letters, counts) and the position that it reached are one transaction. A replay from
//     the checkpoint to that position rebuilds state and gives nothing (the same test).
//  3. Rows of a group are added in log order; watermarks move at entry ends; a window's results leave in key order.
//  4. No row is late on arrival time (the same test).
//  5. At rest, routed = filtered + dead + late + applied + damaged + dropped (the same test).
//  6. A changed definition takes effect at one position: before it everything is as it was defined when the stream passed
//     it, deliveries that lag behind included (TestAChangedDefinition).
package batches
