package receiver

import (
	"fmt"
	"time"

	"edged"

	"github.com/valyala/fastjson"
)

// Stored is a line as edged store export writes it, or the file sink of a stream without windows: a message, and what is said of it besides. What is
// not said is zero.
type Stored struct {
	*edged.Message
	Receiver  string
	Time      time.Time // of its arrival
	Epoch     uint32
	HasEpoch  bool   // it is from an export: the epoch counts, also if it is 0
	Seq       uint64 // of its block
	Untrusted bool   // the wall clock was not synchronised
}

// ParseStored reads one line. The message is valid until the next call with the same parser.
func ParseStored(p *fastjson.Parser, line []byte) (s Stored, err error) {
	v, err := p.ParseBytes(line)
	if err != nil {
		return s, err
	}
	if s.Message, err = replayed(v); err != nil {
		return s, err
	}
	if text := v.GetStringBytes("time"); text != nil {
		if s.Time, err = time.Parse(time.RFC3339Nano, string(text)); err != nil {
			return s, fmt.Errorf("%q is no time such as 2026-01-02T15:04:05Z", text)
		}
	}
	s.Message.QoS, s.Message.Retain = byte(v.GetUint("qos"))&edged.QoSMask, v.GetBool("retain")
	s.Receiver, s.Seq, s.Epoch = string(v.GetStringBytes("receiver")), v.GetUint64("seq"), uint32(v.GetUint("epoch"))
	s.HasEpoch = s.Seq != 0 || v.Exists("epoch")
	trusted := v.Get("clock_trusted")
	s.Untrusted = trusted != nil && trusted.Type() == fastjson.TypeFalse
	return s, nil
}
