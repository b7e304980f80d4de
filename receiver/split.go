package receiver

import (
	"bytes"
	"context"

	"edged"
)

// Handler is what the receiver is given: the generator, or with split = "lines" what stands before it.
func (g *Generator) Handler() edged.Handler {
	if g.o.Split == "lines" {
		return &splitter{g}
	}
	return g
}

// splitter makes a message of each line of a payload. The lines of one payload go into one block, under one hold of its lock: they
// are taken together or not at all, and they are on disk together or not at all. So the acknowledgement of the payload is that
// of its last line, there is nothing to gather, and a publisher that has to repeat a payload repeats none of its lines
// (Spark's MqttStringReceiver acknowledged before it stored, and stored the lines in any order).
//
// The origin of a QoS 2 publish goes with the last line: it is committed once, with all of them.
type splitter struct{ g *Generator }

// Take implements edged.Handler. It waits until the first line may be taken; the others wait for nothing, and so may exceed
// block.queue_bytes and max_rate, once and by one payload: what comes afterwards waits the longer. If they waited, too, a payload
// that needs more time than its publisher has would be taken in part, be repeated, and never be whole.
//
// A block holds maxBlockMessages messages. The last line of a payload that has more is all the rest of it.
func (s *splitter) Take(ctx context.Context, m *edged.Message, ack edged.Acker, token uint64) error {
	if m.Kept { // it was published before split was configured, and sessions read it from this block: it is taken as it was promised then
		return s.g.Take(ctx, m, ack, token)
	}
	line, rest := cutLine(m.Payload)
	part := *m
	part.Payload, part.Origin = line, edged.Origin{}
	if err := s.g.admit(ctx, m.Topic); err != nil {
		return err
	}
	defer s.g.mu.Unlock()
	now, lines := s.g.beginWith(countLines(m.Payload)), 1
	for ; len(rest) > 0; lines++ {
		s.g.add(&part, nil, 0, now.Wall)
		if lines == maxBlockMessages-1 {
			part.Payload, rest = bytes.TrimRight(rest, "\r\n"), nil
		} else {
			part.Payload, rest = cutLine(rest)
		}
	}
	part.Origin = m.Origin
	s.g.add(&part, ack, token, now.Wall)
	s.g.pace.charge(lines - 1)
	return nil
}

// countLines is how many messages a payload becomes.
func countLines(text []byte) (n int) {
	for n = 1; n < maxBlockMessages; n++ {
		if _, text = cutLine(text); len(text) == 0 {
			break
		}
	}
	return n
}

// cutLine returns the first line of text that is not empty, without its line end, and what begins with the next such line. A text
// without any such line is one empty line: its publisher waits for an acknowledgement as well.
func cutLine(text []byte) (line, rest []byte) {
	for len(line) == 0 && len(text) > 0 {
		line, text, _ = bytes.Cut(text, []byte{'\n'})
		line = bytes.TrimSuffix(line, []byte{'\r'})
	}
	for len(text) > 0 && emptyLine(text) {
		_, text, _ = bytes.Cut(text, []byte{'\n'})
	}
	return line, text
}

// emptyLine reports whether text begins with an empty line, or is the end of one.
func emptyLine(text []byte) bool {
	return text[0] == '\n' || text[0] == '\r' && (len(text) == 1 || text[1] == '\n')
}
