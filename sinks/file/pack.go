package file

import (
	"bytes"
	"cmp"
	"context"
	"edged/internal/durable"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// endings are those of compressed files, whatever is configured now.
var endings = []string{".zst", ".gz"}

// packing is one way to compress. Each takes about 1 MiB of memory (measured; zstd's window is bounded for that), starts no
// goroutine, and writes what the tools of its name read.
type packing struct {
	ending string
	writer func(io.Writer) (io.WriteCloser, error)
}

// packingNamed returns the packing that the configuration names; nil for none.
func packingNamed(name string) *packing {
	switch name {
	case "zstd":
		return &packing{".zst", func(w io.Writer) (io.WriteCloser, error) {
			return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
				zstd.WithWindowSize(512<<10), zstd.WithLowerEncoderMem(true))
		}}
	case "gzip":
		return &packing{".gz", func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }}
	}
	return nil
}

// unpack reads what a packing with that ending has written.
func unpack(ending string, r io.Reader) (io.Reader, func(), error) {
	if ending == ".gz" {
		z, err := gzip.NewReader(r)
		return z, func() {}, err
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

var errDiffer = errors.New("the compressed file beside it holds something else: remove the one that is wrong")

// pack compresses a closed file, or finishes what was interrupted. A compressed file has its name only when it is whole and
// on disk; still it is read back before the plain one goes, since here nothing but the name says who made it.
func (c *closet) pack(ctx context.Context, g *generationFiles) error {
	plain := filepath.Join(c.dir, g.name)
	for _, ending := range g.packed {
		same, err := c.same(ctx, plain, ending)
		if err != nil {
			return err
		}
		if !same {
			return errDiffer
		}
	}
	if len(g.packed) == 0 {
		if c.packing == nil {
			return nil
		}
		if err := c.compress(ctx, plain, filepath.Join(c.dir, c.names.temp(g.name+c.packing.ending))); err != nil {
			return err
		}
	}
	if err := c.fs.SyncDir(c.dir); err != nil {
		return err
	}
	if err := c.fs.Remove(plain); err != nil {
		return err
	}
	return c.fs.SyncDir(c.dir)
}

// compress writes the compressed file under a hidden name, makes it durable, and gives it its name.
func (c *closet) compress(ctx context.Context, plain, temp string) (err error) {
	in, err := c.fs.Open(plain, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := c.fs.Open(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			c.fs.Remove(temp)
		}
	}()
	if err := cmp.Or(c.packing.copy(out, &reader{ctx, in}), durable.Sync(out), out.Close()); err != nil {
		return err
	}
	return c.fs.Rename(temp, plain+c.packing.ending)
}

// copy compresses in to out. The errors of out are taken from out itself: the plain file is removed on the strength of it.
func (p *packing) copy(out io.Writer, in io.Reader) error {
	t := &tally{w: out}
	z, err := p.writer(t)
	if err != nil {
		return err
	}
	_, err = io.Copy(z, in)
	return cmp.Or(err, z.Close(), t.err)
}

// same reports whether the compressed file holds exactly what the plain one does.
func (c *closet) same(ctx context.Context, plain, ending string) (bool, error) {
	a, err := c.fs.Open(plain, os.O_RDONLY)
	if err != nil {
		return false, err
	}
	defer a.Close()
	f, err := c.fs.Open(plain+ending, os.O_RDONLY)
	if err != nil {
		return false, err
	}
	defer f.Close()
	b, release, err := unpack(ending, f)
	if err != nil {
		return false, ctx.Err()
	}
	defer release()
	return equal(&reader{ctx, a}, &reader{ctx, b})
}

// equal compares two readers. An error of b counts as a difference: it is what a damaged compressed file looks like.
func equal(a, b *reader) (bool, error) {
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(a, x)
		end := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !end {
			return false, err
		}
		m, err := io.ReadFull(b, y)
		if a.ctx.Err() != nil {
			return false, a.ctx.Err()
		}
		if !bytes.Equal(x[:n], y[:m]) {
			return false, nil
		}
		if end {
			return err == io.EOF || err == io.ErrUnexpectedEOF, nil
		}
	}
}

// reader ends when its context does.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
