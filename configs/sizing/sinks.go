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
	bounded float64 // bytes of files that it keeps at most, before compression; 0: no bound
	log     float64 // bytes of the logs that it holds if it is away, a second: what max_pending counts
	results float64 // of them, in result logs
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
				s.results += from.closes * from.resultBytes()
			} else {
				s.blocks = true
			}
		}
		if f, is := k.Config.(*file.Config); is {
			s.isFile = true
			if f.KeepFiles > 0 && (f.RotateSize > 0 || f.RotateAge > 0) {
				one := float64(f.RotateSize)
				if aged := s.bytes * f.RotateAge.D().Seconds(); aged > 0 && (one == 0 || aged < one) {
					one = aged
				}
				s.bounded = one * float64(f.KeepFiles+1)
			}
		}
		m.sinks = append(m.sinks, s)
	}
}
