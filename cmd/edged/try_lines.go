package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	root "edged"
	"edged/batches"
	"edged/receiver"

	"github.com/valyala/fastjson"
)

// lineReader makes messages of lines. What a line does not say is taken from the one before.
type lineReader struct {
	parser   fastjson.Parser
	receiver string // of lines that name none
	high     root.Instant
	begun    bool // a line has had a time

	n        int // lines read, counted by the caller
	bad      int // that are no message
	firstBad int
	why      error
}

// newLineReader makes one; at is the arrival of lines before the first one that has a time.
func newLineReader(receiver string, at time.Time) *lineReader {
	return &lineReader{receiver: receiver, high: root.Instant{Wall: at.UnixNano()}}
}

// backwards is by how much the times of lines may go back, since receivers are written one after the other. More than that is a clock that was set.
const backwards = time.Minute

// plain makes a message of a payload. It is valid until the next call.
func (l *lineReader) plain(topic string, payload []byte) *batches.Taken {
	return &batches.Taken{Message: root.Message{Topic: topic, Payload: payload}, Receiver: l.receiver, At: l.high, Trusted: true}
}

// stored makes a message of a line of NDJSON; false if it is none, which is noted. It is valid until the next call.
func (l *lineReader) stored(line []byte) (*batches.Taken, bool) {
	s, err := receiver.ParseStored(&l.parser, line)
	if err != nil {
		if l.bad++; l.bad == 1 {
			l.firstBad, l.why = l.n, err
		}
		return nil, false
	}
	m := &batches.Taken{Message: *s.Message, Receiver: s.Receiver, At: l.high, Trusted: !s.Untrusted, Block: s.Seq}
	if m.Receiver == "" {
		m.Receiver = l.receiver
	}
	if s.Time.IsZero() {
		return m, true
	}
	m.At = l.arrival(&s)
	if !l.begun || l.high.Before(m.At) {
		l.high, l.begun = m.At, true
	}
	return m, true
}

// arrival is the arrival of a line with a time. If the line says no epoch, time that goes back a long way begins one, as it does in a gateway.
func (l *lineReader) arrival(s *receiver.Stored) root.Instant {
	at := root.Instant{Epoch: s.Epoch, Wall: s.Time.UnixNano()}
	if s.HasEpoch || !l.begun {
		return at
	}
	if at.Epoch = l.high.Epoch; at.Wall < l.high.Wall-int64(backwards) {
		at.Epoch++
	}
	return at
}

// maxLine bounds a line: longer ones are no messages.
const maxLine = 64 << 20

// readLines reads lines until their end, or until ctx ends, which reading does not wait for. failed says afterwards why they ended early.
func readLines(ctx context.Context, in io.Reader) (lines <-chan []byte, failed func() error) {
	out, errs := make(chan []byte, 64), make(chan error, 1)
	go func() {
		defer close(out)
		s := bufio.NewScanner(in)
		s.Buffer(nil, maxLine)
		for s.Scan() {
			select {
			case out <- bytes.Clone(s.Bytes()):
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				break
			}
		}
		if err := s.Err(); err != nil {
			errs <- fmt.Errorf("the input cannot be read on: %w", err)
			return
		}
		errs <- nil
	}()
	return out, func() error { return <-errs }
}
