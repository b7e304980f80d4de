package wire

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// reader takes a packet apart. The first error stays, and everything after it is zero.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n > len(r.b) {
		r.fail(malformed("a packet that ends too early"))
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u8() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) varint() uint32 {
	if r.err != nil {
		return 0
	}
	n, k, err := varint(r.b)
	if err == nil && k == 0 {
		err = malformed("a packet that ends too early")
	}
	if err != nil {
		r.fail(err)
		return 0
	}
	r.b = r.b[k:]
	return n
}

// data reads Binary Data (MQTT 5, 1.5.6).
func (r *reader) data() []byte { return r.take(int(r.u16())) }

// text reads a UTF-8 Encoded String (MQTT 5, 1.5.4) and checks it.
func (r *reader) text() []byte {
	b := r.data()
	if r.err == nil && !validText(b) {
		r.fail(malformed("a string that is not UTF-8, or has a NUL character [MQTT-1.5.4-1] [MQTT-1.5.4-2]"))
	}
	return b
}

func validText(b []byte) bool { return bytes.IndexByte(b, 0) < 0 && utf8.Valid(b) }

// id reads a packet identifier [MQTT-2.2.1-3].
func (r *reader) id() uint16 {
	id := r.u16()
	if r.err == nil && id == 0 {
		r.fail(violation("the packet identifier 0 [MQTT-2.2.1-3]"))
	}
	return id
}

// end checks that nothing is left over.
func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail(malformed("bytes behind the end of a packet"))
	}
	return r.err
}
