package mqtt

import (
	"fmt"

	"edged"
	"edged/internal/topic"
	"edged/sinks/encode"
	"edged/sinks/template"
)

// batch is the messages of several whole deliveries. Its memory is its own: a connection that has failed may still read from it.
type batch struct {
	s        *sink
	messages []edged.Message
	keys     []string // of the deliveries
	ends     []int    // of each of them in messages
	payload  []byte
	spans    []int // of each payload in it: where it ends
	topic    []byte
}

// fill takes deliveries from the front of the turn, at least one. refused is about the one behind those that it took: a row of it can never
// be published.
func (b *batch) fill(turn []edged.Delivery) (refused error) {
	for i := range turn {
		if len(b.messages) >= batchRows || len(b.payload) >= batchBytes {
			break
		}
		if err := b.add(&turn[i]); err != nil {
			b.drop(b.begin(len(b.ends)))
			refused = err
			break
		}
		b.keys, b.ends = append(b.keys, turn[i].Key), append(b.ends, len(b.messages))
	}
	from := 0
	for i, to := range b.spans { // the payload does not move any more
		b.messages[i].Payload = b.payload[from:to:to]
		from = to
	}
	return refused
}

func (b *batch) drop(from int) { b.messages, b.spans = b.messages[:from], b.spans[:from] }

// begin is where the messages of delivery i begin.
func (b *batch) begin(i int) int {
	if i == 0 {
		return 0
	}
	return b.ends[i-1]
}

// skipped is the number of rows of delivery i that were acknowledged before.
func (b *batch) skipped(i int) int {
	if h := b.s.halfway; h.key == b.keys[i] {
		return h.rows
	}
	return 0
}

// add adds a message for each row, those left out that were acknowledged before.
func (b *batch) add(d *edged.Delivery) error {
	c := b.s.config
	rows, from := d.Rows, 0
	if b.s.halfway.key == d.Key {
		from = b.s.halfway.rows
	}
	var objects encode.Objects
	objects.Reset(rows)
	columns, value := b.s.template.In(rows), template.Column(rows.Names, c.Payload)
	f := &filler{}
	for i := from; i < rows.Len(); i++ {
		row := rows.Row(i)
		b.topic = columns.Append(b.topic[:0], row, f)
		if len(b.topic) > 0 && b.topic[0] == '$' { // from a value: it would be the broker's own
			b.topic[0] = '_'
		}
		before := len(b.payload)
		switch {
		case c.Payload == "":
			b.payload = objects.Append(b.payload, i)
		case value < 0:
			b.payload = encode.AppendPlain(b.payload, edged.Value{})
		default:
			b.payload = encode.AppendPlain(b.payload, row[value])
		}
		if err := b.refuse(len(b.payload) - before); err != nil {
			return err
		}
		b.spans = append(b.spans, len(b.payload))
		b.messages = append(b.messages, edged.Message{Topic: string(b.topic), QoS: byte(c.QoS), Retain: c.Retain})
	}
	return nil
}

// refuse says why the row that was encoded last can never be published.
func (b *batch) refuse(payload int) error {
	var err error
	switch most := int(b.s.config.MaxPacketSize); {
	case len(b.topic) > topic.MaxLen:
		err = fmt.Errorf("the row's topic would be %d bytes, more than MQTT can carry", len(b.topic))
	case len(b.topic)+payload > most:
		err = fmt.Errorf("the row's message would be %d bytes, more than max_packet_size (%d)", len(b.topic)+payload, most)
	}
	return edged.WithClass(err, edged.Poison)
}
