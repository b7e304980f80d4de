package daemon

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"time"

	"edged"
)

// DeadLetters is what is known of them.
type DeadLetters struct {
	Path    string      `json:"path"`
	Count   uint64      `json:"count"`   // written since the store was made
	Dropped uint64      `json:"dropped"` // not kept: the file was full
	Bytes   int64       `json:"bytes"`   // in the file at present; 0 once somebody has taken it away
	Max     int64       `json:"max"`
	Last    *DeadLetter `json:"last,omitempty"` // in the file
}

// DeadLetter is one, without what it holds.
type DeadLetter struct {
	Time   time.Time `json:"time"`
	Stream string    `json:"stream"`
	Sink   string    `json:"sink,omitempty"` // "" if the stream could not read it
	Topic  string    `json:"topic,omitempty"`
	Reason string    `json:"reason"`
}

// deadLetters looks at the file; nil if there has never been one.
func (d *Daemon) deadLetters(sinks []SinkStatus) *DeadLetters {
	c := d.now().c
	out := &DeadLetters{Path: c.DeadLetters.Path, Max: int64(c.DeadLetters.MaxBytes)}
	if !filepath.IsAbs(out.Path) {
		out.Path = filepath.Join(c.DataDir, out.Path)
	}
	for _, k := range sinks {
		if k.Name == edged.DeadLetters {
			for _, del := range k.Deliveries {
				out.Count, out.Dropped = out.Count+del.Delivered, out.Dropped+del.Dropped
			}
		}
	}
	if out.Count+out.Dropped == 0 {
		return nil
	}
	out.Bytes, out.Last = lastLetter(out.Path)
	return out
}

// letterTail is how much of the file's end is looked at; a last letter that is larger is not shown.
const letterTail = 64 << 10

// lastLetter reads the last line of a file that is being written to. Who may not read it learns nothing.
func lastLetter(path string) (size int64, last *DeadLetter) {
	f, err := os.Open(path)
	if err != nil {
		return 0, nil
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil || !fi.Mode().IsRegular() {
		return 0, nil
	}
	from := max(0, fi.Size()-letterTail)
	tail, _ := io.ReadAll(io.NewSectionReader(f, from, fi.Size()-from))
	end := bytes.LastIndexByte(tail, '\n')
	if end < 0 {
		return fi.Size(), nil
	}
	line := tail[bytes.LastIndexByte(tail[:end], '\n')+1 : end]
	var l DeadLetter
	if json.Unmarshal(line, &l) != nil {
		return fi.Size(), nil
	}
	return fi.Size(), &l
}
