package blockstore

import (
	"encoding/binary"
	"fmt"
	"slices"

	"edged"
)

// appendTick encodes a tick as an entry.
func appendTick(b []byte, h header, t *edged.Tick) []byte {
	h.kind, h.at = 'T', t.Newest()
	from := len(b)
	b = h.append(b)
	chains := slices.ContainsFunc(t.Receivers, func(r edged.ReceiverTotal) bool { return r.Stream })
	if chains {
		b[from+1] = extrasVersion
	}
	b = binary.AppendUvarint(b, uint64(len(t.Receivers)))
	for _, r := range t.Receivers {
		b = appendStr(b, r.Receiver)
		b = appendInstant(b, r.Cut)
		b = binary.AppendUvarint(b, r.Stored)
		b = binary.AppendUvarint(b, r.Bytes)
		b = binary.AppendUvarint(b, r.Rejected)
		if chains {
			b = append(b, flag(r.Stream))
		}
	}
	b = binary.AppendUvarint(b, uint64(len(t.Routed)))
	for _, s := range t.Routed {
		b = appendStr(b, s.Stream)
		b = binary.AppendUvarint(b, s.Routed)
	}
	return append(b[:from], seal(b[from:])...)
}

func flag(is bool) byte {
	if is {
		return 1
	}
	return 0
}

// decodeTick reads an entry written by appendTick. The tick shares nothing with b.
func decodeTick(b []byte) (*edged.Tick, error) {
	h, ok := readHeader(b)
	if !ok || h.kind != 'T' {
		return nil, fmt.Errorf("not a tick of version %d", entryVersion)
	}
	body, err := unseal(b)
	if err != nil {
		return nil, err
	}
	r := reader{b: body[headerLen:]}
	t := &edged.Tick{Seq: h.seq}
	t.Receivers = make([]edged.ReceiverTotal, r.count())
	for i := range t.Receivers {
		t.Receivers[i] = edged.ReceiverTotal{Receiver: r.str(), Cut: r.instant(), Stored: r.uvarint(), Bytes: r.uvarint(), Rejected: r.uvarint()}
		if b[1] == extrasVersion {
			t.Receivers[i].Stream = r.byte() == 1
		}
	}
	t.Routed = make([]edged.StreamTotal, r.count())
	for i := range t.Routed {
		t.Routed[i] = edged.StreamTotal{Stream: r.str(), Routed: r.uvarint()}
	}
	return t, r.err
}

// decodeEntry reads a block or a tick; what is wrong with a damaged one is its Err.
func decodeEntry(seq uint64, b []byte) edged.Entry {
	e := edged.Entry{Seq: seq}
	h, ok := readHeader(b)
	switch {
	case !ok:
		e.Err = fmt.Errorf("log entry %d: its header cannot be read", seq)
	case h.seq != seq:
		e.Err = fmt.Errorf("log entry %d: it says that it is entry %d", seq, h.seq)
	case h.kind == 'T':
		e.Tick, e.Err = decodeTick(b)
	default:
		e.Block, e.Err = decodeBlock(b)
	}
	if e.Err != nil {
		e.Block, e.Tick = nil, nil
		e.Err = fmt.Errorf("log entry %d is damaged: %w", seq, e.Err)
	}
	return e
}
