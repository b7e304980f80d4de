package receiver

import (
	lru "container/list"
	"crypto/sha256"
	"sync"
)

const (
	maxRepeats = 4096 // keys that are remembered
	maxKey     = 255  // bytes of one
)

// repeats remembers, by their Idempotency-Key, the bodies that were stored lately or are on their way. A client that heard no
// answer sends a body again; the second is answered and not stored.
type repeats struct {
	mu    sync.Mutex
	max   int
	keys  map[string]*lru.Element
	order *lru.List // of *sent; the one that was used longest ago is at the back
}

type sent struct {
	key    string
	digest [sha256.Size]byte
	stored bool
}

func newRepeats(max int) *repeats {
	return &repeats{max: max, keys: map[string]*lru.Element{}, order: lru.New()}
}

// digestOf tells bodies apart that came under one key.
func digestOf(topic, contentType string, body []byte) (d [sha256.Size]byte) {
	h := sha256.New()
	for _, s := range []string{topic, contentType} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	h.Write(body)
	h.Sum(d[:0])
	return d
}

// meeting is what is known of a key.
type meeting int

const (
	fresh    meeting = iota // it is to be stored, and then done is to be called
	repeated                // it is stored already
	underway                // another request is storing it
	differs                 // the key was another body's
)

// meet looks a key up, and remembers it if it is new.
func (r *repeats) meet(key string, digest [sha256.Size]byte) meeting {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.keys[key]; ok {
		r.order.MoveToFront(e)
		switch s := e.Value.(*sent); {
		case s.digest != digest:
			return differs
		case s.stored:
			return repeated
		}
		return underway
	}
	r.keys[key] = r.order.PushFront(&sent{key: key, digest: digest})
	if r.order.Len() > r.max {
		oldest := r.order.Remove(r.order.Back()).(*sent)
		delete(r.keys, oldest.key)
	}
	return fresh
}

// done says what became of a fresh one. One that was not stored whole is forgotten.
func (r *repeats) done(key string, stored bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.keys[key]
	if !ok {
		return // many others came meanwhile
	}
	if stored {
		e.Value.(*sent).stored = true
		return
	}
	r.order.Remove(e)
	delete(r.keys, key)
}
