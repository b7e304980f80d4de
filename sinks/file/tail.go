package file

import (
	"bytes"
	"errors"
	"io"

	"edged"
)

// tail judges the bytes [state.length, size), which no committed receipt covers. They are cut off if they are no more
// than the beginning of redo, damaged or not; otherwise they are left and this generation ends with them. In a running sink no
// power cut can have damaged them: there they must be just that beginning.
func (s *sink) tail(size int64, redo []edged.Delivery, running bool) error {
	extra := size - s.state.length
	m := &match{file: s.file, at: s.state.length, end: size, same: true, buf: make([]byte, min(extra, 64<<10))}
	if err := s.replay(m, redo); err != nil {
		s.drop()
		return fault("read", s.path, err)
	}
	if m.at < m.end || running && !m.same {
		s.log.Warn("the end of the sink's file was not written by edged, or not to a turn that it knows: it stays, the file is "+
			"closed, and rows go on in a new one", "path", s.path, "bytes", extra)
		s.state.length = size
		s.retire()
		s.ahead = true
		return nil
	}
	if err := s.file.Truncate(s.state.length); err != nil {
		s.drop()
		return fault("cut the unfinished end off", s.path, err)
	}
	s.meters.cut.Add(int(extra))
	if m.same {
		s.log.Info("the last turn was not committed; its rows are taken back and written again", "path", s.path, "bytes", extra)
	} else {
		s.log.Warn("the last turn was not committed and its end is damaged (a power cut?); its rows are taken back and written again",
			"path", s.path, "bytes", extra)
	}
	return nil
}

// replay writes to m what the deliveries would add to this generation.
func (s *sink) replay(m *match, redo []edged.Delivery) error {
	p := s.point
	s.lines.out.Reset(m)
	for i := range redo {
		if !s.lines.takes(redo[i].Rows, p) {
			break
		}
		if s.lines.put(redo[i].Rows, &p) != nil {
			break
		}
	}
	if err := s.lines.out.Flush(); err != nil && !errors.Is(err, errMatched) {
		return err
	}
	return nil
}

// match is a writer that compares what it is given with the tail of a file.
type match struct {
	file    io.ReaderAt
	at, end int64
	same    bool
	buf     []byte
}

// errMatched ends the comparison: the tail is used up.
var errMatched = errors.New("matched")

func (m *match) Write(p []byte) (int, error) {
	for from := 0; from < len(p); {
		n := min(int64(len(p)-from), m.end-m.at, int64(len(m.buf)))
		if n == 0 {
			return from, errMatched
		}
		if _, err := m.file.ReadAt(m.buf[:n], m.at); err != nil {
			return from, err
		}
		m.same = m.same && bytes.Equal(m.buf[:n], p[from:from+int(n)])
		m.at += n
		from += int(n)
	}
	return len(p), nil
}
