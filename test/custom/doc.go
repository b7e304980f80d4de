// Package custom shows what a receiver of one's own looks like in Go, and tests it: Spool brings the files of a directory as messages.
//
// A receiver implements edged.Receiver, and nothing else: the supervisor starts it again by the class of its errors, the generator cuts what it
// brings into blocks, and slows it down. A receiver that the configuration can name is such a type and a Config in the receiver room, and
// one line in receiver/kinds.go.
//
// Invariants:
//
//  1. A file is removed after its message is stored, and not before (TestWhatIsNotStoredStays).
//  2. What the suite of receivers asks (TestConformance).
package custom
