package batches

import (
	"fmt"
	"time"

	"edged/internal/conf"
	"edged/internal/human"
)

// inWords says what a join does.
func (j *join) inWords() string {
	if j.table() {
		return fmt.Sprintf("%s is a table, in %s; a change of it is in force from its place in the log on", j.other, j.format)
	}
	return fmt.Sprintf("%s brings the other side, in %s; times that are up to %s apart", j.other, j.format, length(conf.Duration(time.Duration(j.within))))
}

// bound says what a join holds at most; "" of none.
func (j *join) bound() string {
	switch {
	case j == nil:
		return ""
	case j.table():
		return fmt.Sprintf("one copy of the table, as large as max_bytes of receiver %s lets it be", j.other)
	}
	return fmt.Sprintf("at most %s rows of both sides, %s in all, and %s of a key on each side", human.Count(maxHeld), human.Bytes(int64(maxHeldBytes)), human.Count(maxHeldOfKey))
}
