package receiver

import "edged"

// patient is an Acker that nobody waits for: its source goes on, and only remembers later how far it got. Its messages do not
// ask for early commits; they would spend the write budget of the publishers that do wait.
type patient interface{ patient() }

func isPatient(ack edged.Acker) bool { _, ok := ack.(patient); return ok }

// waiters counts, for each acker, the messages that wait for their acknowledgement.
type waiters struct {
	of   map[edged.Acker]*waiter
	last *waiter // the one that was asked for last: what a connection has sent comes together
}

type waiter struct {
	acker    edged.Acker
	unacked  int
	last     int64  // arrival of its newest message, wall ns
	gap      int64  // between its messages, ns: a mean in which the latest count most
	together int    // messages that came together, the newest among them
	block    uint64 // that its newest message is in: see Generator.begun
	index    uint32 // where it stands among the open block's ackers, if it does
	patient  bool
}

// ackRefOf is a message that is acknowledged on receipt.
type ackRefOf struct {
	acker edged.Acker
	token uint64
}

// expect notes that a message of the open block waits for its acknowledgement, and reports whether somebody waits for that.
// The lock is held.
func (g *Generator) expect(ack edged.Acker, token uint64, wall int64) (waits bool) {
	if g.o.Memory {
		g.instant = append(g.instant, ackRefOf{ack, token})
		g.poke()
		return true
	}
	w := g.waits.get(ack)
	w.unacked++
	w.paced(wall)
	g.mayStand(w)
	if n := uint32(len(g.open.ackers)); w.index >= n || g.open.ackers[w.index].waiter != w {
		w.index = n
		g.open.ackers = append(g.open.ackers, acking{waiter: w})
	}
	g.open.ackers[w.index].n++
	g.open.addAck(w.index, token)
	return !w.patient
}

func (ws *waiters) get(ack edged.Acker) *waiter {
	if ws.last != nil && ws.last.acker == ack {
		return ws.last
	}
	w := ws.of[ack]
	if w == nil {
		w = &waiter{acker: ack, patient: isPatient(ack)}
		if ws.of == nil {
			ws.of = map[edged.Acker]*waiter{}
		}
		ws.of[ack] = w
	}
	ws.last = w
	return w
}

// told notes that n messages of a waiter do not wait any more.
func (ws *waiters) told(w *waiter, n int) {
	if w.unacked -= n; w.unacked > 0 {
		return
	}
	delete(ws.of, w.acker)
	if ws.last == w {
		ws.last = nil
	}
}

func (g *Generator) poke() {
	select {
	case g.poked <- struct{}{}:
	default:
	}
}

// done tells a block's publishers, in the order of Take, and then lets each send what it gathered. It is called by one
// goroutine, behind the committer.
func (g *Generator) done(b *edged.Block, acks []ackRef, ackers []acking, err error) {
	for _, a := range acks {
		a.tell(ackers[a.acker].acker, b.Seq, err)
	}
	for _, a := range ackers {
		a.acker.Flush()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unstored -= b.Len()
	full := g.bytes() >= int64(g.o.Block.QueueBytes)
	if g.flying -= b.Size(); full {
		g.signal()
	}
	for _, a := range ackers {
		g.waits.told(a.waiter, a.n)
	}
}

// tell tells an acker of a run of messages of the block seq.
func (a *ackRef) tell(acker edged.Acker, seq uint64, err error) {
	at := edged.Pos{Seq: seq, Off: a.index}
	if many, ok := acker.(edged.BatchAcker); ok && a.n > 1 {
		many.AckedTogether(a.token, int(a.n), at, err)
		return
	}
	for i := range a.n {
		acker.Acked(a.token+uint64(i), edged.Pos{Seq: seq, Off: a.index + i}, err)
	}
}

// tellInstant acknowledges what is acknowledged on receipt.
func (g *Generator) tellInstant() {
	g.mu.Lock()
	acks := g.instant
	g.instant = nil
	g.mu.Unlock()
	for _, a := range acks {
		a.acker.Acked(a.token, edged.Pos{}, nil)
	}
	for i, a := range acks {
		if i == len(acks)-1 || acks[i+1].acker != a.acker {
			a.acker.Flush()
		}
	}
}
