package intake

// idTable is what a session remembers, by packet identifier: a hash table whose hash is the identifier. Clients count their identifiers up, so that
// nearly each stands in its own place, and a publish, whose identifier is looked up half a dozen times on its way, does not pay
// for hashing. Who chooses them to collide pays for it alone: there are 65,535 of them, and few of them at once (crowded).
//
// The order in a run is that of Robin Hood hashing: nothing stands before what is nearer to its place. So a search ends early, and what follows
// one that is taken out moves up, without marks for what was there. The zero value is ready.
type idTable struct {
	slots []slot // its length is a power of two, or 0; never all in use
	n     int
}

type slot struct {
	known
	id   uint16 // 0: not in use; no packet has it [MQTT-2.2.1-3]
	away uint16 // from its own place
}

func (t *idTable) len() int { return t.n }

// get returns what is known of an identifier, nil if nothing is. The pointer is good until the next put or remove.
func (t *idTable) get(id uint16) *known {
	if i, ok := t.find(id); ok {
		return &t.slots[i].known
	}
	return nil
}

func (t *idTable) find(id uint16) (i int, ok bool) {
	if t.n == 0 {
		return 0, false
	}
	mask := len(t.slots) - 1
	i = int(id) & mask
	for away := uint16(0); ; away++ {
		switch s := &t.slots[i]; {
		case s.id == id:
			return i, true
		case s.id == 0 || s.away < away:
			return 0, false
		}
		i = (i + 1) & mask
	}
}

// put remembers k, and reports whether nothing was known before.
func (t *idTable) put(id uint16, k known) (isNew bool) {
	if old := t.get(id); old != nil {
		*old = k
		return false
	}
	if t.n+1 > len(t.slots)-len(t.slots)/8 || t.n+1 >= len(t.slots) {
		t.grow()
	}
	t.n++
	t.insert(slot{known: k, id: id})
	return true
}

func (t *idTable) insert(s slot) {
	mask := len(t.slots) - 1
	for i := int(s.id) & mask; ; i = (i + 1) & mask {
		at := &t.slots[i]
		if at.id == 0 {
			*at = s
			return
		}
		if at.away < s.away {
			*at, s = s, *at
		}
		s.away++
	}
}

func (t *idTable) grow() {
	old := t.slots
	t.slots = make([]slot, max(8, 2*len(old)))
	for _, s := range old {
		if s.id != 0 {
			s.away = 0
			t.insert(s)
		}
	}
}

// remove forgets an identifier, and reports whether it was known. The memory of a burst is given back with its last one.
func (t *idTable) remove(id uint16) bool {
	i, ok := t.find(id)
	if !ok {
		return false
	}
	if t.n--; t.n == 0 && len(t.slots) > 2*large {
		t.slots = nil
		return true
	}
	mask := len(t.slots) - 1
	for {
		next := (i + 1) & mask
		if s := &t.slots[next]; s.id == 0 || s.away == 0 {
			t.slots[i] = slot{}
			return true
		}
		t.slots[i] = t.slots[next]
		t.slots[i].away--
		i = next
	}
}
