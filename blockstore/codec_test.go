package blockstore

import (
	"reflect"
	"testing"

	"edged"

	"pgregory.net/rapid"
)

func drawBlock(t *rapid.T) *edged.Block {
	b := &edged.Block{
		Seq: rapid.Uint64Range(1, 1<<62).Draw(t, "seq"), Receiver: rapid.StringN(0, 20, -1).Draw(t, "receiver"),
		Trusted: rapid.Bool().Draw(t, "trusted"), Data: []byte{}, Topics: []string{},
		Topic: []uint32{}, Arrival: []int64{}, Flags: []uint8(nil), End: []uint32{},
	}
	n := rapid.IntRange(0, 30).Draw(t, "messages")
	if n > 0 {
		b.Topics = rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "topics")
	}
	at := rapid.Int64Range(-1<<60, 1<<60).Draw(t, "first")
	for i := range n {
		at += rapid.Int64Range(0, 1e9).Draw(t, "gap")
		b.Topic = append(b.Topic, uint32(rapid.IntRange(0, len(b.Topics)-1).Draw(t, "topic")))
		b.Arrival = append(b.Arrival, at)
		b.Flags = append(b.Flags, uint8(rapid.IntRange(0, 7).Draw(t, "flags")))
		b.Data = append(b.Data, rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "payload")...)
		b.End = append(b.End, uint32(len(b.Data)))
		if rapid.IntRange(0, 5).Draw(t, "qos 2") == 0 {
			b.Origins = append(b.Origins, edged.BlockOrigin{Index: uint32(i), Origin: edged.Origin{Client: "c", PacketID: uint16(i + 1)}})
		}
	}
	b.Cut = edged.Instant{Epoch: rapid.Uint32().Draw(t, "epoch"), Wall: at + rapid.Int64Range(0, 1e9).Draw(t, "cut")}
	return b
}

func TestBlocksReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBlock(t)
		v := appendBlock([]byte("before"), header{seq: b.Seq, start: 7}, boot{}, b)[6:]
		got, err := decodeBlock(v)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Data) == 0 {
			got.Data = []byte{}
		}
		if !reflect.DeepEqual(got, b) {
			t.Fatalf("wrote %+v\nread %+v", b, got)
		}
	})
}

// A flipped bit anywhere is found: by the CRC, or because the entry says another number.
func TestEveryFlippedBitIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBlock(t)
		v := appendBlock(nil, header{seq: b.Seq}, boot{}, b)
		if rapid.Bool().Draw(t, "packed") && b.Len() > 0 {
			b.Data = append(b.Data, make([]byte, 5000)...)
			b.End[b.Len()-1] += 5000
			v = packedBlock(header{seq: b.Seq}, b)
		}
		bit := rapid.IntRange(0, len(v)*8-1).Draw(t, "bit")
		v[bit/8] ^= 1 << (bit % 8)
		if e := decodeEntry(b.Seq, v); e.Err == nil {
			t.Fatalf("bit %d flipped, and read as %+v", bit, e)
		}
	})
}

func TestTicksReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := &edged.Tick{Seq: 9, Receivers: []edged.ReceiverTotal{}, Routed: []edged.StreamTotal{}}
		for range rapid.IntRange(0, 4).Draw(t, "receivers") {
			k.Receivers = append(k.Receivers, edged.ReceiverTotal{
				Receiver: rapid.String().Draw(t, "name"), Cut: edged.Instant{Epoch: rapid.Uint32().Draw(t, "e"), Wall: rapid.Int64().Draw(t, "w")},
				Stored: rapid.Uint64().Draw(t, "s"), Bytes: rapid.Uint64().Draw(t, "b"), Rejected: rapid.Uint64().Draw(t, "r"),
			})
			k.Routed = append(k.Routed, edged.StreamTotal{Stream: rapid.String().Draw(t, "stream"), Routed: rapid.Uint64().Draw(t, "n")})
		}
		got, err := decodeTick(appendTick(nil, header{seq: 9}, k))
		if err != nil || !reflect.DeepEqual(got, k) {
			t.Fatalf("wrote %+v\nread %+v, %v", k, got, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	b := &edged.Block{Seq: 1, Receiver: "r", Topics: []string{"a"}, Topic: []uint32{0}, Arrival: []int64{1}, Flags: []uint8{1}, End: []uint32{1}, Data: []byte("x"), Cut: edged.Instant{Wall: 2}}
	f.Add(appendBlock(nil, header{seq: 1}, boot{}, b))
	f.Add(packedBlock(header{seq: 1}, readings(10, 4)))
	f.Add(appendTick(nil, header{seq: 1}, &edged.Tick{}))
	f.Add(appendResult(nil, header{seq: 1}, &edged.Result{Data: []byte("x")}))
	f.Add(appendCursor(nil, &edged.Cursor{Need: edged.SpansFrom(1)}))
	f.Fuzz(func(t *testing.T, v []byte) {
		sealed := [][]byte{seal(append([]byte(nil), v...)), sealIn(string(cursorsBucket), "c", append([]byte(nil), v...))} // they get past the CRC
		for _, b := range append(sealed, v) {
			if e := decodeEntry(1, b); e.Block != nil {
				for i := range e.Block.Len() {
					e.Block.Payload(i)
					e.Block.TopicOf(i)
				}
			}
			decodeResult("s", 1, b)
			decodeCursor("c", b)
		}
	})
}
