package batches

import "edged"

// passing is the state of a stream without windows whose rows depend on those before them: what it remembers is its memory, and a row that has come
// so far goes on at once, into the result log.
type passing struct{ out *output }

func (s *passing) add(in *arrived) fate {
	s.out.row(in)
	return isApplied
}

func (s *passing) advance(edged.Instant, *output)      {}
func (s *passing) closeAll(*output)                    {}
func (s *passing) awaits() (at edged.Instant, ok bool) { return at, false }
func (s *passing) count() int                          { return 0 }
func (s *passing) empty() bool                         { return false } // its memory is a matter for the checkpoint
func (s *passing) changes(func(string, []byte))        {}
func (s *passing) appendHeader(b []byte) []byte        { return b }
func (s *passing) readHeader(*headerReader)            {}
func (s *passing) load(string, []byte, error) loss     { return unknown }
func (s *passing) tear(edged.Instant)                  {}
