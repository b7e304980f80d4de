// Package exec is the sink that gives rows to a program: NDJSON on its standard input, one answer line a row on its standard
// output.
//
// The program is started at the first row and stays. For each line that it reads it writes one line, in the same order:
//
//	ok          the row is durable, and need not come again
//	error TEXT  the row will never be taken: it becomes a dead letter with this text
//	retry TEXT  not now: the row comes again later
//
// Answers may come late and in one go (a program that commits many rows at a time answers them after its commit), but it must
// not wait for more rows before it answers those that it has: there may be none. So a whole sink is
//
//	while IFS= read -r row; do
//	    store "$row" && echo ok || echo retry
//	done
//
// or, in Python (flush: standard output to a pipe is buffered otherwise),
//
//	for row in sys.stdin:
//	    store(row)
//	    print("ok", flush=True)
//
// Rows come at least once. If the program ends, the rows without an answer are given to its next life, after a backoff; those
// with one are not repeated as long as the gateway runs. A last line without its line break was cut by the gateway's end,
// and must be left alone. Anything else on standard output, or an answer too many, is a mistake that a person must
// correct; what the program wants to say it says on standard error, which goes into the log.
//
// # Invariants
//
//  1. A delivery is done when each of its rows was answered with ok; nothing else is (TestKilledInTheMiddle).
//  2. An answer belongs to one row: a program that answers what it was not given, or has not read, is ended, and the sink
//     holds (TestAnswersWithoutReading).
//  3. Write ends with its context or after timeout of silence, whatever the program does (TestNeverReads, TestSilence).
//  4. Two lives never run at a time: the first is dead, with its process group, before the second begins
//     (TestTheWholeGroupEnds).
package exec
