package file

import (
	"testing"

	"edged"

	"pgregory.net/rapid"
)

func TestReceiptReadsWhatItWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := receipt{
			generation: rapid.Uint64().Draw(t, "generation"),
			inode:      rapid.Uint64().Draw(t, "inode"),
			length:     rapid.Int64Min(0).Draw(t, "length"),
			began:      rapid.Int64().Draw(t, "began"),
			header:     rapid.Uint64().Draw(t, "header"),
			final:      rapid.String().Draw(t, "final"),
		}
		b := want.encode()
		if got, err := decodeReceipt(b); err != nil || got != want {
			t.Fatalf("wrote %+v, read %+v, %v", want, got, err)
		}
		for n := 1; n < len(b); n++ {
			if r, err := decodeReceipt(b[:n]); edged.ClassOf(err) != edged.Permanent {
				t.Fatalf("the first %d of %d bytes were read as %+v, %v", n, len(b), r, err)
			}
		}
		if _, err := decodeReceipt(append(b, 0)); err == nil {
			t.Fatal("a byte too many was read")
		}
		b[0]++
		if _, err := decodeReceipt(b); edged.ClassOf(err) != edged.Permanent {
			t.Fatalf("another version: %v", err)
		}
	})
}

func TestNoReceipt(t *testing.T) {
	if r, err := decodeReceipt(nil); err != nil || r != (receipt{}) {
		t.Fatal(r, err)
	}
}

func FuzzReceipt(f *testing.F) {
	f.Add((&receipt{1, 2, 3, 4, 5, "raw-20261120T100000Z-1.ndjson"}).encode())
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeReceipt(b)
		if err == nil && r.length < 0 {
			t.Fatalf("%+v", r)
		}
	})
}
