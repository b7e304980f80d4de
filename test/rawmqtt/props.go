package rawmqtt

import (
	"encoding/binary"
	"fmt"
)

// Property is one property of a packet that came. Value is what follows the identifier, as on the wire.
type Property struct {
	ID    byte
	Value string
}

// Properties are those of one packet, in its order.
type Properties []Property

// Parse reads properties that begin with their length, and returns what is behind them. It fails on whatever MQTT 5 does not
// define.
func Parse(b []byte) (ps Properties, rest []byte, err error) {
	n, k := binary.Uvarint(b)
	if k <= 0 || int(n) > len(b)-k {
		return nil, nil, fmt.Errorf("a property length is wrong in %X", b)
	}
	b, rest = b[k:k+int(n)], b[k+int(n):]
	for len(b) > 0 {
		size := width(b)
		if size <= 0 || size > len(b)-1 {
			return ps, rest, fmt.Errorf("no property begins with %X", b)
		}
		ps = append(ps, Property{b[0], string(b[1 : 1+size])})
		b = b[1+size:]
	}
	return ps, rest, nil
}

// width is the length of the value of the property that b begins with, 0 or less if there is none (MQTT 5, 2.2.2.2).
func width(b []byte) int {
	switch b[0] {
	case 0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A:
		return 1
	case 0x13, 0x21, 0x22, 0x23:
		return 2
	case 0x02, 0x11, 0x18, 0x27:
		return 4
	case 0x0B:
		_, k := binary.Uvarint(b[1:])
		return k
	case 0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F:
		return text(b[1:])
	case 0x26:
		if n := text(b[1:]); n > 0 && n < len(b)-1 {
			return n + text(b[1+n:])
		}
	}
	return 0
}

func text(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	return 2 + int(binary.BigEndian.Uint16(b))
}

// All returns the values of a property.
func (ps Properties) All(id byte) (values []string) {
	for _, p := range ps {
		if p.ID == id {
			values = append(values, p.Value)
		}
	}
	return values
}

// Int returns a number's value; ok is false if the property is not there.
func (ps Properties) Int(id byte) (n int, ok bool) {
	for _, p := range ps {
		if p.ID != id {
			continue
		}
		if id == 0x0B {
			u, _ := binary.Uvarint([]byte(p.Value))
			return int(u), true
		}
		for _, c := range []byte(p.Value) {
			n = n<<8 | int(c)
		}
		return n, true
	}
	return 0, false
}

// Text returns a string, "" if the property is not there.
func (ps Properties) Text(id byte) string {
	for _, p := range ps {
		if p.ID == id {
			return p.Value[2:]
		}
	}
	return ""
}
