package file

import (
	"encoding/binary"
	"errors"
	"fmt"

	"edged"
)

// receipt is what the sink must know after a restart.
//
// FORMAT, version 1. Integers are LEB128 varints as in encoding/binary, signed ones zigzag:
//
//	byte      1, the version
//	uvarint   generation, from 1
//	uvarint   inode of the file at path
//	uvarint   length: the bytes of it that are committed
//	varint    time of the generation's first write, seconds since 1970; 0 = none yet
//	8 bytes   FNV-1a 64 of the CSV header line with its line break, little endian; 0 = no header
//	uvarint   n
//	n bytes   intent: the name, in the directory of path, that the file is to be closed under; n = 0: none
type receipt struct {
	generation uint64
	inode      uint64
	length     int64
	began      int64
	header     uint64
	final      string
}

const receiptVersion = 1

var errReceipt = errors.New("the committed receipt of this file cannot be read")

func (r *receipt) encode() []byte {
	b := make([]byte, 0, 48+len(r.final))
	b = append(b, receiptVersion)
	b = binary.AppendUvarint(b, r.generation)
	b = binary.AppendUvarint(b, r.inode)
	b = binary.AppendUvarint(b, uint64(r.length))
	b = binary.AppendVarint(b, r.began)
	b = binary.LittleEndian.AppendUint64(b, r.header)
	b = binary.AppendUvarint(b, uint64(len(r.final)))
	return append(b, r.final...)
}

// decodeReceipt reads a receipt; no bytes are the receipt of a sink that never wrote. Its errors are permanent.
func decodeReceipt(b []byte) (r receipt, err error) {
	if len(b) == 0 {
		return receipt{}, nil
	}
	if b[0] != receiptVersion {
		return receipt{}, edged.WithClass(fmt.Errorf("the receipt of this file has version %d, this edged knows %d: "+
			"start the newer edged that wrote it", b[0], receiptVersion), edged.Permanent)
	}
	b = b[1:]
	ok := true
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			ok = false
			return 0
		}
		b = b[n:]
		return v
	}
	r.generation, r.inode, r.length = next(), next(), int64(next())
	began, n := binary.Varint(b)
	if !ok || n <= 0 || len(b) < n+8 || r.length < 0 {
		return receipt{}, edged.WithClass(errReceipt, edged.Permanent)
	}
	r.began, r.header, b = began, binary.LittleEndian.Uint64(b[n:]), b[n+8:]
	if size := next(); !ok || size != uint64(len(b)) {
		return receipt{}, edged.WithClass(errReceipt, edged.Permanent)
	}
	r.final = string(b)
	return r, nil
}
