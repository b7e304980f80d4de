// Package receiver brings messages in and cuts them into blocks.
//
// As in Spark Streaming, receiving and storing are different objects. A Receiver (a kind: mqtt, tcp, exec, replay) brings messages
// from one source. A Generator (Spark: BlockGenerator) cuts what it brings into blocks and holds them until the store's
// committer takes them. A Supervisor (Spark: ReceiverSupervisor) runs the two, restarts the receiver by the class of its
// error, and stops them in that order.
//
// Invariants:
//
//  1. A message taken is acknowledged once, after its block's commit, in the order of Take (TestAcksFollowTheCommit). What is taken together is as if
//     taken one after the other, with one arrival (TestTogetherIsAsOneAfterTheOther).
//  2. A block holds one epoch, and its arrivals never decrease (TestABlockHoldsOneEpoch).
//  3. A cut hands over everything that arrived before its time (TestACutHandsOverWhatArrivedBefore).
//  4. What waits is bounded by block.queue and block.queue_bytes, what is being stored included in the bytes; past that, Take blocks (TestAFullQueueBlocks,
//     TestWhatIsBeingStoredTakesRoom).
//  5. No more is taken than max_rate and the slowest consumer's estimate allow, whoever waits while they change (TestNoMorePassThanTheRateAllows,
//     TestTheSlowestConsumerDecides).
//  6. With split = "lines" the lines of a payload are in one block, in order, with one acknowledgement and one origin: a payload is taken
//     and stored whole or not at all (TestEveryPayloadIsItsLinesAndIsAcknowledgedOnce).
//  7. A peer or program is told of a line after its commit, one answer a line, in order (TestAnswersFollowTheCommit).
//  8. When an exec receiver's Run returns, no process of the program's group is left (TestAStopEndsTheWholeGroup).
package receiver
