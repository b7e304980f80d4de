// Package bench measures what is promised in figures.
//
// TestTable (make bench) measures the whole table of goals (goals_test.go), each figure beside its partner: another broker, or the least that any durable
// server must do, run in turns with edged on the same machine (partners_test.go). It judges nothing: what is not reached is said in bench/results.md, with the
// reason that bench/reasons.txt gives. A measurement that cannot be made fails, and so does one whose messages did not all arrive.
//
// TestGuards (make bench-guards, and .ci/run) is cheap, and fails for counts and sizes only, never for a time.
package bench
