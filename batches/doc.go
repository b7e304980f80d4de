// Package batches runs the streams: every batch interval each stream takes the blocks since its cursor, decodes them, and
// moves its windows (Spark: JobGenerator and the DStreams it schedules).
//
// The way of a row is fixed: decode, flat_map, time, join, lag, where, select, changed, throttle, sample, group_by, window, aggregate, having
// (docs/adr/0018-rows.md). A stream without a window, whose rows do not depend on those before them, is stateless: its deliveries read the block log themselves, behind the stream's own cursor, which alone counts and
// dead-letters. A stream with a window consumes the block log and appends what its windows give to its result log.
//
// A stream that others take from puts what it gives into the block log, too, as blocks under its own name (chain.go, docs/adr/0019-chains.md).
//
// # Joins
//
// A table is a message of its receiver, in force from its place in the log on (table.go). Rows of two streams are held until the watermark has passed them, and leave in the order of
// time (held.go). docs/adr/0020-joins.md has the invariants.
//
// # Windows
//
// Each kind is a state of its own, in its own file, which defines it: on a grid, tumbling and sliding (panes.go, slide.go); of a group, session
// (sessions.go), count (counted.go) and running (running.go); and batch (batch.go). All are half-open, [start, end). With emit_every, windows give results
// before their end (early.go): at the end of the first entry at or after each point of a grid, by the watermark, what is open and has changed since it was
// last given, as revision 1, 2, …; the final result has the next number, and none if it is the only one. A revision that having sets aside counts too.
//
// # What a row costs
//
// What can be decided of a plan, a topic, a block or a pane is not decided of a row: Plan.inputs, topicInfo, panes.now. A row that finds its group
// takes no memory (TestARowCostsNoMemory). `make bench-streams` prints what it takes of time. A stream that 2 MiB wait for does not wait for its batch interval
// (TestMuchIsTakenAtOnce): the streams that take a block, and their sinks, then find it in the store's memory, decoded.
//
// # Invariants
//
//  1. Results depend on the log alone: batch interval, restarts and speed change nothing in them (TestResultsDependOnTheLogAlone, TestJoinsDependOnTheLogAlone). The kind
//     "batch" is the exception: where its windows end is committed with them (TestBatchesAfterKills). By its bytes: TestTheSameLogAtAnyBatchInterval.
//  2. What a step gives (results, dead letters, counts) and the position that it reached are one transaction. A replay from
//     the checkpoint to that position rebuilds state and gives nothing (the same test).
//  3. Rows of a group are added in log order; watermarks move at entry ends; results leave at entry ends, those of a window in key order. What is
//     joined with what depends on the window alone (TestSlidingWindowsAreTheirPanes).
//  4. No row is late on arrival time (the same test).
//  5. At rest, routed = filtered + dead + late + applied + damaged + dropped (the same test).
//     A message that a join of two streams holds is applied; what becomes of its rows behind that is not in the equation (TestRowsThatAreLostBehindAJoinAreCounted).
//  6. Rows that came too late are in the stream's side log once, in log order, in the update that moves the position past them; those of a replay are beside
//     everything else (TestLateRowsAreGivenOnce, TestAReplayGivesWhatTheStreamGave).
//  7. A changed definition takes effect at one position: before it everything is as it was defined when the stream passed
//     it, deliveries that lag behind included (TestAChangedDefinition).
//  8. What a chained stream gives to others is committed with its position, arrives at or after every cut that was given, and is the same, block by block,
//     whatever the batch interval and wherever ticks lie (TestChainsDependOnTheLogAlone, TestAChangedDefinitionKeepsItsCut).
//  9. A delivery reads of the block log the rows that the stream has counted, whether it believes the stream about poison or finds it again (sound.go,
//     TestADeliveryBelievesTheStream).
//  10. What becomes of a message does not depend on what other streams have found out about its payload (sound.go, TestAStreamBelievesAnother).
package batches
