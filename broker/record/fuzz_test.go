package record

import (
	"bytes"
	"reflect"
	"testing"

	"edged"
	"edged/broker/wire"
)

// FuzzRecords: no record makes the reader fail or take much memory, and what is read is written as something that is read as the same.
func FuzzRecords(f *testing.F) {
	l := Letter{QoS: 1, Share: "$share/g/a", At: edged.Pos{Seq: 5, Off: 1}, SubIDs: []uint32{1, 7}, Extra: Extra{Expiry: 9, Origin: "c"}, Message: wire.Message{Topic: "a", Payload: []byte("m"), QoS: 2}}
	for _, b := range [][]byte{
		(&Session{User: "u", Keep: 5, Mark: &Ref{Seq: 3}, Flights: []Flight{{ID: 1}}}).Append(nil), (&Subscription{QoS: 2, Born: 4, Sure: 6, Past: []Past{{QoS: 1, Until: 7, Sure: 9}}}).Append(nil),
		Half{ID: 1, State: Done}.Append(nil), (&Extra{Expiry: 1, Origin: "c", Props: []byte{1, 0}}).Append(nil), l.Append(nil),
		(&Marks{Number: 1, Mark: 2}).Append(nil), {letterVersion, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}, {letterVersion}, nil,
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := ParseSession(b); err == nil {
			again(t, s.Append(nil), pointer(ParseSession))
		}
		if s, err := ParseSubscription(b); err == nil {
			again(t, s.Append(nil), pointer(ParseSubscription))
		}
		if m, err := ParseMarks(b); err == nil {
			again(t, m.Append(nil), pointer(ParseMarks))
		}
		if h, err := ParseHalf(b); err == nil && !bytes.Equal(h.Append(nil), b) {
			t.Errorf("%+v of %x", h, b)
		}
		if x, err := ParseExtra(b); err == nil && len(x.Append(nil)) > 0 {
			again(t, x.Append(nil), pointer(ParseExtra))
		}
		if l, p, err := ParseLetter(b); err == nil {
			l.Message = wire.Message{Topic: string(p.Topic), Payload: p.Payload, Props: p.Props, QoS: p.QoS, Retain: p.Retain}
			l2, p2, err := ParseLetter(l.Append(nil))
			l.Message = wire.Message{}
			if err != nil || !reflect.DeepEqual(l, l2) || !bytes.Equal(p.Topic, p2.Topic) || !bytes.Equal(p.Payload, p2.Payload) || !bytes.Equal(p.Props, p2.Props) {
				t.Errorf("%+v %+v, %v; was %+v %+v", l2, p2, err, l, p)
			}
		}
		for i := range b {
			_, _ = edged.ReceivedFrom(string(b[:i]), b[i:])
		}
	})
}

func again[T interface{ Append([]byte) []byte }](t *testing.T, b []byte, parse func([]byte) (T, error)) {
	t.Helper()
	if w, err := parse(b); err != nil || !bytes.Equal(w.Append(nil), b) {
		t.Errorf("%+v, %v; was %q", w, err, b)
	}
}

func pointer[T any](parse func([]byte) (T, error)) func([]byte) (*T, error) {
	return func(b []byte) (*T, error) { v, err := parse(b); return &v, err }
}
