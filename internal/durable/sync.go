//go:build !edged_nosync

package durable

// Syncs says that this program syncs what it writes. The build tag edged_nosync makes a program that does not: the power-cut tests
// run it to show that they would notice. It is for them alone.
const Syncs = true

// Sync returns when what was written to f, a file or directory, is on disk. Everything in edged that must be, but for the store's own pages, goes through
// here.
func Sync(f interface{ Sync() error }) error { return f.Sync() }
