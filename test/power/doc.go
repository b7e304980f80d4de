// Package power cuts the power of a gateway, thousands of times, without cutting any: it records every file operation of the
// real process and every acknowledgement that it sends, works out what a disk may hold if the power fails between two of them, and
// starts the real program on that. It is the method of ALICE (Pillai et al., "All File Systems Are Not Created Equal: On the
// Complexity of Crafting Crash-Consistent Applications", OSDI 2014), and of CrashMonkey (Mohan et al., OSDI 2018), with strace as
// the recorder.
//
// # What the disk may do
//
// Durable is what the manual pages of fsync(2) and fdatasync(2) promise and nothing more: when a sync of a file has returned, what was
// written to the file before that sync began is on disk, with the size needed to read it; when a sync of a directory has returned,
// so are the names that were made, changed and removed in it before. A sync of a file does not make its name durable. Everything else is
// volatile: it may be on disk or not, whatever came before or after it.
//
//   - Data: each sector of 512 bytes is on disk as it was after any one of the volatile writes to it, or before all of them,
//     independently of every other sector (Sectors), or each page of 4096 bytes so (Pages), or the writes in their order up to a place in the
//     middle of one (Torn), or all, or none. A sector itself is whole: drives promise that, and the page cache holds one version of it at a
//     time, so that a newer byte is never beside an older one of the same sector.
//   - Sizes: any that the file had since its last sync, or an appending write's in part. Where the size is on disk and the data
//     is not, there are zeros, as on ext4 with data=writeback, XFS and F2FS. With Ordered it is ext4's default, data=ordered: appended data is on disk
//     before the size that covers it; what was there before and is written over is not ordered by anything.
//   - Names: any of the volatile creations, renames and removals, without the others (Subset), as on a file system without a
//     journal; or all up to a moment and none after it (Journal), as ext4, XFS and btrfs do. A rename is one step: the
//     file has the one name or the other.
//
// An operation that had begun when the power failed and had not returned is volatile too.
//
// What the disk does not do: lose or change what it said was synced, write a part of a sector, or damage what nobody wrote to. Cheap
// cards do that, too; against those helps only that every value has a checksum and that a damaged store is set aside (tested
// with the damaged files). Inode numbers stay the same across the cut: that is so on ext4, XFS, btrfs and F2FS, and the file sink relies on
// it. States are laid out in a fresh tmpfs, which numbers its inodes in order, so that every file has its old number.
//
// # Acknowledgements
//
// One counts as given when the write(2) of it to the socket has begun before the cut. The store must have been synced before; strace stops every
// thread at the end of a call, so that what one thread does after another's sync has returned also comes after it in the
// record.
//
// # What is checked
//
// On each state the program starts. Every message that was acknowledged before the cut, with QoS 1 (PUBACK) or 2 (PUBREC), is in the raw file and its
// closed generations, and none is there twice; every retained topic has its newest acknowledged message or a later one; the windows count what
// the raw rows are, and no window is there twice; the ledger balances; and a message that is published now arrives, too. The log of a
// failed state says how the power failed; EDGED_SEED repeats the choice, though not the record, which is another each time.
package power
