// Package sizing says what a gateway of a configuration will need, and how long it and its card will last: messages, bytes written and kept, days of backlog,
// memory, processor. It is arithmetic: nothing is started, opened or written. docs/adr/0022-sizing.md says what is modelled and what is not.
//
// What a store writes is pages, so that it is worked out in pages (pages.go, wear.go); the few numbers that were measured stand in constants.go.
//
// Invariant: what the model says that a store writes in a day, and that a backlog takes, is within a quarter of what a real store writes and takes over the same
// messages (TestTheModelAgainstAStore, in virtual time). A change of what a commit writes fails that test.
package sizing
