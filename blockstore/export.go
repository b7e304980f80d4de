package blockstore

import (
	"context"
	"encoding/base64"
	"slices"
	"sort"
	"time"
	"unicode/utf8"

	"edged"
	"edged/internal/rowcodec"
	"edged/internal/topic"
)

// Query says what is to be exported: the messages of the block log, or the results of a stream.
type Query struct {
	Results string    // the stream; "": messages
	Topic   string    // a filter; "": all. Of messages only
	From    time.Time // arrival of a message, watermark of results; the zero Time: from the beginning
	To      time.Time // exclusive; the zero Time: to the end
	// Takes says which messages a stream takes: others are left out. nil: all.
	Takes func(receiver, topic string) bool
}

// Message is a line of the export of messages.
type Message struct {
	Seq           uint64    `json:"seq"`
	Time          time.Time `json:"time"`
	Epoch         uint32    `json:"epoch,omitempty"`
	Receiver      string    `json:"receiver"`
	Topic         string    `json:"topic"`
	QoS           byte      `json:"qos"`
	Retain        bool      `json:"retain,omitempty"`
	Payload       *string   `json:"payload,omitempty"`
	PayloadBase64 *string   `json:"payload_base64,omitempty"` // if it is not UTF-8
	ClockTrusted  *bool     `json:"clock_trusted,omitempty"`  // false if the wall clock was not synchronised; else it is left out
}

// logs are what an export reads: of a running store, or of an archive.
type logs interface {
	Next(seq uint64) (edged.Entry, bool, error)
	NextResult(stream string, seq uint64) (edged.Result, bool, error)
}

// Export calls message for every message, or rows for every entry of results, that q asks for, in the order of the log. Entries that
// cannot be read are told to damaged, and passed over. It reads entry by entry, up to the end as it is then.
func Export(ctx context.Context, from logs, q Query, message func(Message) error, rows func(*edged.Rows) error, damaged func(error)) error {
	if q.Results != "" {
		return exportResults(ctx, from, q, rows, damaged)
	}
	for seq := uint64(0); ctx.Err() == nil; {
		e, ok, err := from.Next(seq)
		if err != nil || !ok {
			return err
		}
		seq = e.Seq + 1
		if e.Err != nil {
			damaged(e.Err)
		}
		if e.Block == nil || !q.From.IsZero() && e.Block.Len() > 0 && time.Unix(0, e.Block.Arrival[e.Block.Len()-1]).Before(q.From) {
			continue
		}
		if err := exportBlock(e.Block, q, message); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func exportBlock(b *edged.Block, q Query, message func(Message) error) error {
	wanted := make([]bool, len(b.Topics))
	for i, t := range b.Topics {
		wanted[i] = (q.Topic == "" || topic.Match(q.Topic, t)) && (q.Takes == nil || q.Takes(b.Receiver, t))
	}
	for i := range b.Len() {
		at := time.Unix(0, b.Arrival[i]).UTC()
		if !wanted[b.Topic[i]] || !q.within(at) {
			continue
		}
		m := Message{Seq: b.Seq, Time: at, Epoch: b.Cut.Epoch, Receiver: b.Receiver, Topic: b.TopicOf(i), QoS: b.QoS(i), Retain: b.Retain(i)}
		if !b.Trusted {
			m.ClockTrusted = &b.Trusted
		}
		if p := b.Payload(i); utf8.Valid(p) {
			text := string(p)
			m.Payload = &text
		} else {
			text := base64.StdEncoding.EncodeToString(p)
			m.PayloadBase64 = &text
		}
		if err := message(m); err != nil {
			return err
		}
	}
	return nil
}

func (q *Query) within(at time.Time) bool {
	return (q.From.IsZero() || !at.Before(q.From)) && (q.To.IsZero() || at.Before(q.To))
}

func exportResults(ctx context.Context, from logs, q Query, rows func(*edged.Rows) error, damaged func(error)) error {
	for seq := uint64(0); ctx.Err() == nil; {
		res, ok, err := from.NextResult(q.Results, seq)
		if !ok {
			return err
		}
		seq = res.Seq + 1
		var r *edged.Rows
		if err == nil {
			r, err = rowcodec.Decode(res.Data, res.Seq, res.Rows)
		}
		if err != nil {
			damaged(err)
			continue
		}
		if q.within(res.Watermark.Time()) {
			if err := rows(r); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// Next is the first entry of the block log at or after seq.
func (a *Archive) Next(seq uint64) (edged.Entry, bool, error) {
	group := a.group("", seq)
	if len(group) == 0 {
		return edged.Entry{}, false, nil
	}
	v, _ := a.read("", group)
	return decodeEntry(group[0].seq, v), true, nil
}

// NextResult is the first entry of a stream's results at or after seq; one that cannot be read is an error with its number.
func (a *Archive) NextResult(stream string, seq uint64) (edged.Result, bool, error) {
	group := a.group(stream, seq)
	if len(group) == 0 {
		return edged.Result{}, false, nil
	}
	v, _ := a.read(stream, group)
	res, err := decodeResult(stream, group[0].seq, v)
	res.Seq = group[0].seq
	return res, true, err
}

// group are the places of the first entry at or after seq.
func (a *Archive) group(log string, seq uint64) []slot {
	slots := a.logs[log]
	i := sort.Search(len(slots), func(i int) bool { return slots[i].seq >= seq })
	if i == len(slots) {
		return nil
	}
	n := slices.IndexFunc(slots[i:], func(s slot) bool { return s.seq != slots[i].seq })
	if n < 0 {
		return slots[i:]
	}
	return slots[i : i+n]
}
