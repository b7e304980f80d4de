package wire

// The types of packets: the upper half of the first byte (MQTT 5, 2.1.2).
const (
	CONNECT     byte = 0x10
	CONNACK     byte = 0x20
	PUBLISH     byte = 0x30
	PUBACK      byte = 0x40
	PUBREC      byte = 0x50
	PUBREL      byte = 0x60
	PUBCOMP     byte = 0x70
	SUBSCRIBE   byte = 0x80
	SUBACK      byte = 0x90
	UNSUBSCRIBE byte = 0xA0
	UNSUBACK    byte = 0xB0
	PINGREQ     byte = 0xC0
	PINGRESP    byte = 0xD0
	DISCONNECT  byte = 0xE0
	AUTH        byte = 0xF0
)

// MaxPacket is the most that a packet can have behind its fixed header.
const MaxPacket = 268_435_455

// Frame is one packet, as the bytes it came in.
type Frame struct {
	First byte
	Body  []byte // behind the fixed header; a slice of the caller's buffer
}

// Type is the type of the packet.
func (f Frame) Type() byte { return f.First & 0xF0 }

// Next finds the packet at the beginning of b. size is its length with the header: more than len(b) if bytes are missing, and 0
// if not even the length is there. A packet longer than max, header included, is an error before it has come, and so is a wrong
// first byte. Only what a client can send passes.
func Next(b []byte, max int) (f Frame, size int, err error) {
	if len(b) == 0 {
		return f, 0, nil
	}
	if err := checkFirst(b[0]); err != nil {
		return f, 0, err
	}
	n, k, err := varint(b[1:])
	if err != nil || k == 0 {
		return f, 0, err
	}
	size = 1 + k + int(n)
	if size > max {
		return f, size, &Error{PacketTooLarge, "a packet larger than max_packet_size"}
	}
	if len(b) >= size {
		f = Frame{b[0], b[1+k : size : size]}
	}
	return f, size, nil
}

// checkFirst checks the type and the flags that it prescribes [MQTT-2.1.3-1].
func checkFirst(first byte) error {
	switch first & 0xF0 {
	case PUBLISH:
		if first&6 == 6 {
			return malformed("a PUBLISH with QoS 3 [MQTT-3.3.1-4]")
		}
		if first&14 == 8 {
			return malformed("a PUBLISH with QoS 0 and DUP [MQTT-3.3.1-2]")
		}
		return nil
	case PUBREL, SUBSCRIBE, UNSUBSCRIBE:
		if first&15 != 2 {
			return malformed("wrong flags in the first byte [MQTT-2.1.3-1]")
		}
		return nil
	case CONNECT, PUBACK, PUBREC, PUBCOMP, PINGREQ, DISCONNECT, AUTH:
		if first&15 != 0 {
			return malformed("wrong flags in the first byte [MQTT-2.1.3-1]")
		}
		return nil
	case 0:
		return malformed("a packet of the reserved type 0")
	}
	return violation("a packet that only servers send")
}

// varint reads a Variable Byte Integer (MQTT 5, 1.5.5); k is the number of its bytes, 0 if some are missing.
func varint(b []byte) (n uint32, k int, err error) {
	for k < 4 {
		if k == len(b) {
			return 0, 0, nil
		}
		c := b[k]
		n |= uint32(c&127) << (7 * k)
		k++
		if c < 128 {
			if c == 0 && k > 1 {
				return 0, 0, malformed("a length in more bytes than it needs [MQTT-1.5.5-1]")
			}
			return n, k, nil
		}
	}
	return 0, 0, malformed("a length of more than four bytes")
}
