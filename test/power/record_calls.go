package power

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// data notes a write or a truncation when it begins: from there on the disk may have it.
func (r *recorder) data(c *call) error {
	d := r.fds[leading(c.args[0])]
	if d == nil {
		return r.sent(c)
	}
	if d.file.dir {
		return nil
	}
	op := &dataOp{call: c}
	var err error
	if c.name == "ftruncate" {
		op.off, err = strconv.ParseInt(c.args[1], 10, 64)
	} else if c.name == "fallocate" {
		op.off, err = d.allocated(c.args)
	} else if op.data, err = unhex(c.args[1]); err == nil {
		switch {
		case c.name == "pwrite64":
			op.off, err = strconv.ParseInt(c.args[3], 10, 64)
		case d.append:
			op.off = d.file.size
		case d.seeks:
			return fmt.Errorf("where a write to %s goes is not known", d.path)
		default:
			op.off = d.at
		}
	}
	if err != nil {
		return err
	}
	d.file.ops = append(d.file.ops, op)
	before := d.file.size
	d.file.size = op.after(before)
	r.doing[c] = func() error {
		if c.name == "fallocate" && c.number() != 0 {
			op.off, d.file.size = before, before
		}
		if n := c.number(); op.data != nil && n < len(op.data) { // less was written than asked for
			op.data = op.data[:n]
			d.file.size = op.after(before)
		}
		d.at = op.off + int64(len(op.data))
		return nil
	}
	return nil
}

// allocated is the length of a file after blocks of the disk were given to a part of it: what is new reads as zeros, as after a truncation to that length.
func (d *descriptor) allocated(args []string) (int64, error) {
	from, err := strconv.ParseInt(args[2], 10, 64)
	n, err2 := strconv.ParseInt(args[3], 10, 64)
	if args[1] != "0" {
		err = fmt.Errorf("fallocate with the mode %s is not in the model", args[1])
	}
	return max(d.file.size, from+n), errors.Join(err, err2)
}

// after is the file's size after the operation.
func (op *dataOp) after(size int64) int64 {
	if op.data == nil {
		return op.off
	}
	return max(size, op.off+int64(len(op.data)))
}

// name notes a directory that is made, or a name that is removed.
func (r *recorder) name(c *call, fromDir, from, to string) error {
	path, below, err := r.below(fromDir, from)
	if to != "" {
		path, below, err = r.below(from, to)
	}
	if err != nil || !below {
		return err
	}
	r.doing[c] = func() error {
		if to != "" {
			r.made(c, path, true)
			return nil
		}
		f := r.now[path]
		if f == nil {
			return fmt.Errorf("%s was removed, and the record does not know it", path)
		}
		delete(r.now, path)
		r.names = append(r.names, &nameOp{c, f, path, ""})
		return nil
	}
	return nil
}

func (r *recorder) rename(c *call) error {
	a := c.args
	if c.name == "rename" {
		a = []string{"AT_FDCWD", a[0], "AT_FDCWD", a[1]}
	}
	from, below, err := r.below(a[0], a[1])
	to, also, err2 := r.below(a[2], a[3])
	if err := errors.Join(err, err2); err != nil || !below && !also {
		return err
	}
	if below != also {
		return fmt.Errorf("a rename into or out of the directory: %s, %s", from, to)
	}
	r.doing[c] = func() error {
		f := r.now[from]
		if f == nil {
			return fmt.Errorf("%s was renamed, and the record does not know it", from)
		}
		delete(r.now, from)
		r.now[to] = f
		r.names = append(r.names, &nameOp{c, f, from, to})
		return nil
	}
	return nil
}

// sent looks for acknowledgements in what is written to a socket.
func (r *recorder) sent(c *call) error {
	_, ends, ok := strings.Cut(c.args[0], "<TCP:[")
	if !ok {
		return nil
	}
	_, port, _ := cutLast(strings.TrimSuffix(ends, "]>"), ":")
	to, err := strconv.Atoi(port)
	if err != nil {
		return nil // not connected
	}
	r.doing[c] = func() error {
		b, err := unhex(c.args[1])
		if err != nil {
			return err
		}
		r.acks[to] = r.packets(c, to, append(r.acks[to], b[:c.number()]...))
		return nil
	}
	return nil
}

// packets takes whole packets off b and returns the rest.
func (r *recorder) packets(c *call, port int, b []byte) []byte {
	for len(b) > 1 {
		n, k := binary.Uvarint(b[1:])
		if k <= 0 || uint64(len(b)) < 1+uint64(k)+n {
			break
		}
		body := b[1+k:][:n]
		switch kind := b[0]; kind {
		case 0x40, 0x50, 0x70:
			if n < 2 {
				return nil // no MQTT
			}
			r.Acks = append(r.Acks, Ack{c.begin, c.end, port, kind, binary.BigEndian.Uint16(body)})
		}
		b = b[1+k+int(n):]
	}
	return b
}
