package sizing

import (
	"edged/configs"
	"edged/sinks/file"
)

// sink is what goes to one sink.
type sink struct {
	configs.Sink
	rows    float64 // a second
	bytes   float64 // a second, as NDJSON
	isFile  bool
	packed  bool    // its closed files are compressed
	bounded float64 // bytes of files that it keeps at most; 0: no bound
	pages   float64 // what the result logs take of the store that it holds if it is away, bytes a second
	most    float64 // that of the stream that gives most
	turns   float64 // a second
	blocks  bool    // it holds the block log
}

func (m *model) addSinks() {
	for _, k := range m.c.Sinks {
		s := sink{Sink: k}
		for _, name := range k.Streams {
			from := m.find(name)
			if from == nil {
				continue // what comes too late is little, if all is well
			}
			s.rows += from.rows
			s.bytes += from.rows * from.row
			if from.results() {
				in, own := element(from.resultBytes())
				pages := from.closes * (own + in/leafFull) * page
				s.pages, s.most = s.pages+pages, max(s.most, pages)
				s.turns += from.closes
			} else {
				s.blocks = s.blocks || from.in > 0
				s.turns += from.turns(m)
			}
		}
		if f, is := k.Config.(*file.Config); is {
			s.isFile = true
			s.packed = f.Compress != "none" && (f.RotateSize > 0 || f.RotateAge > 0)
			if f.KeepFiles > 0 && (f.RotateSize > 0 || f.RotateAge > 0) {
				one := float64(f.RotateSize)
				if aged := s.bytes * f.RotateAge.D().Seconds(); aged > 0 && (one == 0 || aged < one) {
					one = aged
				}
				closed := one * float64(f.KeepFiles)
				if f.Compress != "none" {
					closed *= packs
				}
				s.bounded = one + closed
			}
		}
		m.sinks = append(m.sinks, s)
	}
}
