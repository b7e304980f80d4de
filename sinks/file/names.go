package file

import (
	"cmp"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// naming knows the names that belong to one sink. No other file is ever renamed or removed.
type naming struct {
	stem, ext string // raw, .ndjson
}

// closedFile is one closed generation: the file name without the ending of a compressed one, and what it says.
type closedFile struct {
	name       string
	generation uint64
	closed     string // UTC time in the form of stamp; sorts as it is
}

const stamp = "20060102T150405Z"

func namingOf(path string) naming {
	base := filepath.Base(path)
	n := naming{ext: filepath.Ext(base)}
	if n.stem = strings.TrimSuffix(base, n.ext); n.stem == "" { // a hidden file without another dot
		n.stem, n.ext = base, ""
	}
	return n
}

// closed makes the name of a generation closed at a time.
func (n *naming) closed(at time.Time, generation uint64) string {
	return n.stem + "-" + at.UTC().Format(stamp) + "-" + strconv.FormatUint(generation, 10) + n.ext
}

// parse reads the name of a closed file and the ending of its compression, "" if there is none. It takes exactly the names
// that closed makes.
func (n *naming) parse(name string) (c closedFile, packed string, ok bool) {
	for _, ending := range endings {
		if rest, found := strings.CutSuffix(name, ending); found && n.ext != ending {
			name, packed = rest, ending
		}
	}
	rest, hasStem := strings.CutPrefix(name, n.stem+"-")
	rest, hasExt := strings.CutSuffix(rest, n.ext)
	day, number, hasNumber := strings.Cut(rest, "-")
	if !hasStem || !hasExt || !hasNumber {
		return c, "", false
	}
	at, err := time.Parse(stamp, day)
	generation, err2 := strconv.ParseUint(number, 10, 64)
	ok = err == nil && err2 == nil && generation > 0 && n.closed(at, generation) == name
	return closedFile{name, generation, day}, packed, ok
}

// temp is the hidden name under which a compressed file is made.
func (n *naming) temp(name string) string { return "." + name + ".tmp" }

// isTemp reports whether a name is one of those that temp makes.
func (n *naming) isTemp(name string) bool {
	inner, hidden := strings.CutPrefix(name, ".")
	inner, tmp := strings.CutSuffix(inner, ".tmp")
	_, packed, ok := n.parse(inner)
	return hidden && tmp && ok && packed != ""
}

// compare orders closed files from the oldest to the newest.
func (c closedFile) compare(d closedFile) int {
	return cmp.Or(cmp.Compare(c.generation, d.generation), cmp.Compare(c.closed, d.closed))
}
