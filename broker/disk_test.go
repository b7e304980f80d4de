package broker

import (
	"bytes"
	"slices"
	"sync"
	"testing"

	"edged/test/await"
)

// disk is a store of retained messages whose commits the test makes, or that commits at once.
type disk struct {
	auto bool

	mu      sync.Mutex
	values  map[string][]byte
	queue   []put
	commits int // under way
}

type put struct {
	topic string
	value []byte
	done  func(error)
}

func newDisk(auto bool) *disk { return &disk{auto: auto, values: map[string][]byte{}} }

func (d *disk) Load(each func(string, []byte) error) error {
	for topic, value := range d.values {
		if err := each(topic, value); err != nil {
			return err
		}
	}
	return nil
}

func (d *disk) Put(topic string, value []byte, done func(error)) {
	d.mu.Lock()
	d.queue = append(d.queue, put{topic, bytes.Clone(value), done})
	d.commits++
	d.mu.Unlock()
	if d.auto {
		go d.commit(1<<30, nil)
	}
}

func (d *disk) commit(n int, err error) {
	d.mu.Lock()
	done := d.queue[:min(n, len(d.queue))]
	d.queue = slices.Clone(d.queue[len(done):])
	for _, p := range done {
		switch {
		case err != nil:
		case p.value == nil:
			delete(d.values, p.topic)
		default:
			d.values[p.topic] = p.value
		}
	}
	d.mu.Unlock()
	for _, p := range done {
		p.done(err)
	}
	d.mu.Lock()
	d.commits -= len(done)
	d.mu.Unlock()
}

func (d *disk) topics(t testing.TB) (out []string) {
	t.Helper()
	await.Soon(t, "the disk is idle", func() bool { d.mu.Lock(); defer d.mu.Unlock(); return d.commits == 0 })
	d.mu.Lock()
	defer d.mu.Unlock()
	for t := range d.values {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}
