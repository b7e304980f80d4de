package edged

// Update is what a consumer moves in one transaction: all of it becomes durable, or nothing. The store keeps the slices
// until the update is committed; the caller does not write to them any more.
//
// Intake marks what comes from publishers rather than from a consumer, such as retained messages. Like a block it does not
// get at the store's reserve: when there is no room, an intake update that stores anything is refused with ErrFull. One
// that only deletes is let in.
type Update struct {
	Intake bool

	Blocks  []*Block // of chained streams: rows for the streams that take from them; logged behind the commit's other blocks, in order
	Cursors []Cursor // written whole, replacing the cursor of that name
	Forget  []string // names of cursors to delete
	Results []Result // appended to their streams' logs, in order
	Puts    []Put

	ForgetStreams []string // result logs to delete, with their streams' totals
}

// Empty reports whether the update moves nothing.
func (u *Update) Empty() bool {
	return len(u.Blocks)+len(u.Cursors)+len(u.Forget)+len(u.Results)+len(u.Puts)+len(u.ForgetStreams) == 0
}

// Add appends what v moves.
func (u *Update) Add(v *Update) {
	u.Blocks = append(u.Blocks, v.Blocks...)
	u.Cursors = append(u.Cursors, v.Cursors...)
	u.Forget = append(u.Forget, v.Forget...)
	u.Results = append(u.Results, v.Results...)
	u.Puts = append(u.Puts, v.Puts...)
	u.ForgetStreams = append(u.ForgetStreams, v.ForgetStreams...)
}

// Cursor is the progress of one consumer. Need says which entries of Log must be kept for it; an empty Need holds nothing
// back. Data is the consumer's own record, opaque to the store.
//
// Lost says that the store had such a cursor, and that damage has taken it: Data is empty, and everything that the log still
// holds is needed. Its consumer begins at the oldest entry that is kept, or better if it knows better, never at the end; what it has
// passed before comes again.
type Cursor struct {
	Name string
	Log  string // "" is the block log, else the stream whose result log it is
	Need Spans
	Data []byte
	Lost bool
}

// Result is one entry of a result log: what one step of a stream produced at one position of its input.
type Result struct {
	Stream    string
	Seq       uint64  // given by the store
	Cause     uint64  // the block-log entry at whose end the rows came out
	Watermark Instant // the stream's watermark there
	Rows      uint32
	Data      []byte // the rows; opaque to the store
}

// Put sets a value, or deletes it if Value is nil. Space is a fixed word that names whose values these are.
//
// At, if it is not nil, makes the value when the commit is written: end is the end of the block log with that commit. Value must not be nil then, and is of
// about the same length: what room is needed for is reckoned from it. At is called by the goroutine that commits, which waits for it, at each attempt: if
// there was no room, once more, or for an update that is refused in the end. What it returns is the store's.
//
// Apart says that the space is written seldom, and is to have pages of its own: a small one shares a page with what is written by each commit else, and is written with it.
type Put struct {
	Space string
	Key   string
	Value []byte
	At    func(end uint64) []byte
	Apart bool
}
