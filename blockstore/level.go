package blockstore

// Level says where the blocks of a source are kept (Spark: StorageLevel).
type Level uint8

// The levels. Spark's MEMORY_AND_DISK means spilling, and its durability is a separate log that is off by default; here
// both levels with a disk are durable before the acknowledgement.
const (
	MemoryAndDisk Level = iota // on disk, and recent blocks in the memory cache too
	Disk                       // on disk only
	Memory                     // never on disk: lost at a crash, and outside the promise
)

// Levels are the names of the levels in the configuration.
var Levels = []string{"memory_and_disk", "disk", "memory"}
