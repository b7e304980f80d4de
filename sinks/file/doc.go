// Package file is the sink that appends rows to a file, NDJSON or CSV, and holds each of them exactly once.
//
// # What is promised
//
// Write appends, syncs, and returns a receipt: {generation, inode, length}. The receipt is committed in the transaction
// that moves the cursors. Everything follows from one rule: no byte is written to a file before its inode and its length
// at that moment stand in a committed receipt, and no byte before that length is ever written again. A new file is
// therefore made empty first, and its receipt committed, before it gets its first row.
//
// What stands beyond the committed length at Open was written by a turn that was not committed. It is cut off only if the
// inode is that of the receipt and the tail is no longer than what that turn would have written: either it is the
// beginning of just that, or a power cut has damaged it. The turn comes again as the first Write. Any other tail is not
// ours: it stays, and the file is closed as if it were due for rotation.
//
// Somebody else may rename, remove or truncate the file at any time (logrotate with or without copytruncate). A renamed
// or removed file is followed by a new one, a shortened one is continued at its end and never padded; each is logged once.
// File systems that do not keep inode numbers across a mount (FAT, exFAT, some network ones) look like a renamed file
// after each start: nothing is lost there, but a turn that a crash interrupted is written twice.
//
// # Generations
//
// A generation is one file. It ends by size, by age, when the CSV header changes, or when the tail is not ours. The
// receipt first carries the intent, the final name; once that is committed the next Write or Open renames the file, syncs
// the directory, and makes the next one. Each step can be done again after a kill without harm. Generation numbers are
// part of the name and never used twice, so names do not collide:
//
//	raw.ndjson                            the open generation
//	raw-20261120T100000Z-7.ndjson         generation 7, closed at that time
//	raw-20261120T100000Z-7.ndjson.zst     the same, compressed
//	.raw-20261120T100000Z-7.ndjson.zst.tmp   the same, while it is being compressed
//
// Closed files are compressed in the background, one at a time, under the hidden name; the plain file is removed when the
// compressed one and its directory entry are on disk. If both are found at Open they are compared before one goes.
//
// If path is a symbolic link, everything happens in the directory of its target, under the target's name.
package file
