package record

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/broker/wire"

	"pgregory.net/rapid"
)

var (
	words = rapid.StringOf(rapid.RuneFrom([]rune("aÄ/\u202e\"<&\\+# \t\U0001f600")))
	refs  = rapid.Custom(func(t *rapid.T) Ref {
		return Ref{Seq: rapid.Uint64().Draw(t, "seq"), Off: rapid.Uint32().Draw(t, "off")}
	})
	ids    = rapid.Uint16Range(1, 65535)
	states = rapid.SampledFrom([]State{Sent, Released, Done})
)

func same[T any](t *rapid.T, want, got T, err error) {
	t.Helper()
	if err != nil || !reflect.DeepEqual(want, got) {
		t.Fatalf("%+v, %v; want %+v", got, err, want)
	}
}

// TestRecordsComeBack: what was written is what is read.
func TestRecordsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Session{User: words.Draw(t, "user"), Keep: rapid.Int64Range(0, 1<<32-1).Draw(t, "keep"), Away: rapid.Int64Range(0, 1<<32-1).Draw(t, "away")}
		if rapid.Bool().Draw(t, "waits") {
			r := refs.Draw(t, "mark")
			s.Mark = &r
		}
		for range rapid.IntRange(0, 3).Draw(t, "flights") {
			s.Flights = append(s.Flights, Flight{ids.Draw(t, "id"), refs.Draw(t, "ref")})
		}
		gotS, err := ParseSession(s.Append(nil))
		same(t, s, gotS, err)
		sub := Subscription{
			QoS: rapid.ByteRange(0, 2).Draw(t, "qos"), NoLocal: rapid.Bool().Draw(t, "no local"), RetainAsPublished: rapid.Bool().Draw(t, "rap"),
			NoRetained: rapid.Bool().Draw(t, "no retained"), ID: rapid.Uint32().Draw(t, "id"), Born: rapid.Uint64().Draw(t, "born"),
			Sure: rapid.Uint64().Draw(t, "sure"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			sub.Past = append(sub.Past, Past{rapid.ByteRange(0, 2).Draw(t, "was"), rapid.Uint64().Draw(t, "until"), rapid.Uint64().Draw(t, "changed")})
		}
		gotSub, err := ParseSubscription(sub.Append(nil))
		same(t, sub, gotSub, err)
		h := Half{ids.Draw(t, "id"), states.Draw(t, "state")}
		gotH, err := ParseHalf(h.Append(nil))
		same(t, h, gotH, err)
		x := Extra{Expiry: rapid.Int64Range(0, 1<<50).Draw(t, "expiry"), Origin: words.Draw(t, "origin"), Props: []byte(words.Draw(t, "props"))}
		gotX, err := ParseExtra(x.Append(nil))
		if gotX.Props == nil {
			gotX.Props = []byte{}
		}
		same(t, x, gotX, err)
		m := Marks{rapid.Uint64().Draw(t, "number"), rapid.Uint64().Draw(t, "mark")}
		gotM, err := ParseMarks(m.Append(nil))
		same(t, m, gotM, err)
	})
}

// TestLettersComeBack: so does a letter, with what its subscribers get of it.
func TestLettersComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Letter{
			QoS: rapid.ByteRange(1, 2).Draw(t, "qos"), Retain: rapid.Bool().Draw(t, "retain"), Share: words.Draw(t, "share"),
			Extra: Extra{Expiry: rapid.Int64Range(0, 1<<50).Draw(t, "expiry"), Origin: words.Draw(t, "origin")},
			Message: wire.Message{
				Topic:   "t/" + strings.Map(func(r rune) rune { return map[bool]rune{true: '.', false: r}[strings.ContainsRune("+#", r)] }, words.Draw(t, "topic")),
				Payload: []byte(words.Draw(t, "payload")), QoS: rapid.ByteRange(1, 2).Draw(t, "message"), Retain: rapid.Bool().Draw(t, "retained"),
				Props: wire.Message{}.Props,
			},
		}
		if l.Share != "" {
			l.At = refs.Draw(t, "at")
		}
		for range rapid.IntRange(0, 3).Draw(t, "ids") {
			l.SubIDs = append(l.SubIDs, uint32(len(l.SubIDs))+rapid.Uint32Range(1, 9).Draw(t, "id")*10*uint32(len(l.SubIDs)+1))
		}
		for i := 1; i < len(l.SubIDs); i++ {
			l.SubIDs[i] = max(l.SubIDs[i], l.SubIDs[i-1])
		}
		got, p, err := ParseLetter(l.Append(nil))
		want := l
		want.Message = wire.Message{}
		same(t, want, got, err)
		if string(p.Topic) != l.Message.Topic || !bytes.Equal(p.Payload, l.Message.Payload) || p.QoS != l.Message.QoS || p.Retain != l.Message.Retain {
			t.Fatalf("%+v; want %+v", p, l.Message)
		}
	})
}

// Keys sort as what they name, and can be taken apart, whatever the client is called.
func TestKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		client, a, b := words.Draw(t, "client"), refs.Draw(t, "a"), refs.Draw(t, "b")
		if (InflightKey(client, a) < InflightKey(client, b)) != a.Before(b) {
			t.Fatal("halves are out of order")
		}
		if (QueueKey(client, a.Off) < QueueKey(client, b.Off)) != (a.Off < b.Off) {
			t.Fatal("letters are out of order")
		}
		who, rest, _ := Split(InflightKey(client, a))
		ref, ok := RefOf(rest)
		if who != client || ref != a || !ok {
			t.Fatalf("%q %v", who, ref)
		}
		who, rest, _ = Split(QueueKey(client, a.Off))
		n, ok := NumberOf(rest)
		if who != client || n != a.Off || !ok {
			t.Fatalf("%q %d", who, n)
		}
		filter := words.Draw(t, "filter")
		if who, rest, _ = Split(SubscriptionKey(client, filter)); who != client || rest != filter {
			t.Fatalf("%q %q", who, rest)
		}
		o := edged.Origin{Client: client, PacketID: ids.Draw(t, "id")}
		if got, ok := edged.ReceivedFrom(o.Key(), []byte{0}); got.Client != client || got.PacketID != o.PacketID || got.Missing != 0 || got.Stored != nil || !ok {
			t.Fatalf("%+v; want %+v", got, o)
		}
	})
}

// What is stored of a publish names the receivers that have stored it until all have, in whichever order they come and however often. It takes the place of
// what is stored of an older one, of which copies that come late change nothing.
func TestReceiptsNameReceivers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(words, 1, 20, rapid.ID).Draw(t, "names")
		o := edged.Origin{Client: "c", PacketID: 7, Copies: uint8(len(names)), Number: rapid.Uint64Range(1, 1<<40).Draw(t, "number")}
		older := o
		older.Number--
		keeper := rapid.IntRange(0, len(names)).Draw(t, "keeper")
		value := older.Received(nil, "x", true)
		for i, name := range names {
			value = o.Received(value, name, i == keeper)
			want := names[:i+1]
			if i+1 == len(names) {
				want = nil
			}
			if rapid.Bool().Draw(t, "twice") {
				value = o.Received(value, name, false)
			}
			if rapid.Bool().Draw(t, "late") {
				value = older.Received(value, "x", true)
			}
			r, ok := edged.ReceivedFrom(o.Key(), value)
			if !ok || r.Number != o.Number || r.Missing != len(names)-i-1 || !slices.Equal(r.Stored, want) || r.Kept != (i >= keeper && want != nil) {
				t.Fatalf("after %d of %d: %+v, %t", i+1, len(names), r, ok)
			}
		}
		newer := o
		newer.Number++
		if r, _ := edged.ReceivedFrom(o.Key(), newer.Received(value, "x", false)); r.Missing != len(names)-1 || r.Number != newer.Number {
			t.Fatalf("one that is published anew: %+v", r)
		}
	})
}
