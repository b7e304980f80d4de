// Package pages reads the file of a bbolt database without the library, page by page, so that nothing in a damaged file can
// crash or mislead the reader: every number is checked against the file before it is used, nothing is mapped into memory, a
// page is visited once, and what is wrong is told and passed over.
//
// The library trusts its file: it panics on some damage, in goroutines of its own too, and follows other damage wherever it
// leads. So a file is walked with this package before the library gets it, and what the library must not get is read with it.
//
// The layout is that of bbolt 1.5 (internal/common): a page begins with its number (u64), flags and count (u16 each) and the
// number of pages behind that belong to it (u32). All numbers are in the byte order of the processor, which is little-endian
// everywhere that edged runs.
package pages
