package fault

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/need"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// Killed again and again under load, while subscribers come and go as they like: with QoS 1 at least once, with QoS 2 exactly once, for the
// subscribers and in the files, whether a receiver takes the topic, two, or none.
func TestSessionsUnderLoadAndKills(t *testing.T) {
	t.Parallel()
	t.Run("edged", func(t *testing.T) {
		t.Parallel()
		kills := quickOrFull(2, 20)
		e := sessionGateway(t, sessionConfig)
		v, wrong := killedUnderLoad(t, e, kills, func() {
			time.Sleep(time.Duration(400+rand.IntN(600)) * time.Millisecond)
			e.Kill()
			time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
			e.Start()
		})
		for _, w := range wrong {
			t.Error(w)
		}
		v.Fault = fmt.Sprintf("sessions: kill -9 under load, %d times, subscribers come and go", kills)
		v.Holds(t)
	})
	t.Run("control", func(t *testing.T) {
		t.Parallel()
		e := harness.New(t, sessionConfig)
		e.Tag = "edged_ackfirst"
		slowWrites(t, e, 20*time.Millisecond)
		e.Start()
		v, _ := killedUnderLoad(t, e, 4, func() {
			time.Sleep(time.Duration(400+rand.IntN(600)) * time.Millisecond)
			e.Kill()
			e.Start()
		})
		v.Fault = "sessions: the same, acknowledged before the commit, 20 ms a write"
		v.Breaks(t)
	})
}

// The same, killed at the k-th write or sync of a life: within a commit, at every place of it.
func TestSessionsKilledAtTheKthCall(t *testing.T) {
	t.Parallel()
	strace := need.Tool(t, "strace")
	kills := quickOrFull(3, 40)
	e := sessionGateway(t, sessionConfig)
	k := 0
	v, wrong := killedUnderLoad(t, e, kills, func() {
		k++
		call := []string{"pwrite64", "fdatasync"}[k%2]
		e.Kill()
		e.Wrap = []string{strace, "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d+", call, 5+k*3)}
		e.Launch()
		ended := e.Ended()
		harness.Until(t, 30*time.Second, "it is ready, or has ended", func() bool {
			select {
			case <-ended:
				return true
			default:
				return e.IsReady()
			}
		})
		select {
		case <-ended:
		case <-time.After(time.Second): // that call did not come so often in one thread
		}
		e.Kill()
		e.Wrap = nil
		e.Start()
		time.Sleep(100 * time.Millisecond)
	})
	for _, w := range wrong {
		t.Error(w)
	}
	v.Fault = fmt.Sprintf("sessions: SIGKILL at the k-th write or sync under load, %d values of k", kills)
	v.Holds(t)
}

// busy are the clients of a gateway under load. Each is used by its own goroutine until stop.
type busy struct {
	stop atomic.Bool
	wg   sync.WaitGroup
	pubs []*publisher
	done [4]atomic.Int64 // for each of them, the batches that were completed
	subs []*subscriber
}

// killedUnderLoad has clients busy while kill is called again and again: it ends the gateway and starts it again.
func killedUnderLoad(t *testing.T, e *harness.Edged, kills int, kill func()) (v verdict.Verdict, wrong []string) {
	t.Helper()
	var b busy
	for _, v5 := range []bool{false, true} {
		for _, qos := range []byte{1, 2} {
			s := newSubscriber(e, v5, fmt.Sprintf("sub%d%s", qos, version(v5)))
			s.begin(t, qos, "+/load/#")
			b.subs = append(b.subs, s)
			b.pubs = append(b.pubs, newPublisher(e, v5, fmt.Sprintf("pub%d%s", qos, version(v5))))
		}
	}
	for i := range b.pubs {
		b.wg.Add(2)
		go func() { defer b.wg.Done(); b.publish(i, 1+byte(i%2)) }()
		go func() { defer b.wg.Done(); b.comeAndGo(b.subs[i]) }()
	}
	working := func() {
		t.Helper()
		for i := range b.pubs {
			before := b.done[i].Load()
			harness.Until(t, 30*time.Second, "messages of each publisher are completed", func() bool { return b.done[i].Load() > before })
		}
	}
	for range kills {
		working()
		kill()
	}
	working()
	b.stop.Store(true)
	b.wg.Wait()
	var acked []string
	for _, p := range b.pubs {
		must(t, p.insist(20*time.Second))
		acked = append(acked, p.payloads(1)...)
	}
	v.Acked = int64(len(acked))
	for i, s := range b.subs {
		if s.leave(); e.Tag != "" {
			s.quiet = brevity / 8 // much is missing, and is not waited for
		}
		present, err := s.come()
		must(t, err)
		if !present {
			wrong = append(wrong, s.login.ID+": the session is gone at the end")
		} else {
			must(t, s.collect(acked))
		}
		lost, _ := lostAndTwice(acked, s.payloads(1))
		_, doubled := lostAndTwice(nil, s.payloads(2))
		if len(lost)+len(doubled) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s: lost %s, doubled %s", s.login.ID, some(lost), some(doubled)))
		}
		if twice := len(s.payloads(2)); i%2 == 1 && twice == 0 {
			wrong = append(wrong, s.login.ID+": nothing came with QoS 2")
		}
		if late := outOfOrder(s.got); len(late) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s: out of order: %s", s.login.ID, some(late)))
		}
		wrong = append(wrong, s.wrong...)
		v.Lost += int64(len(lost))
		v.Doubled += int64(len(doubled))
	}
	if e.Tag != "" {
		return v, wrong // such a program's ledger does not balance
	}
	settled(t, e)
	lost, doubled := b.inFiles(e)
	if len(lost)+len(doubled) > 0 {
		wrong = append(wrong, fmt.Sprintf("in the files: lost %s, doubled %s", some(lost), some(doubled)))
	}
	v.Lost += int64(len(lost))
	v.Doubled += int64(len(doubled))
	return v, wrong
}

// inFiles compares what was acknowledged with the rows. Only what was published with QoS 2 must be there once.
func (b *busy) inFiles(e *harness.Edged) (lost, doubled []string) {
	two := map[string]bool{}
	for root, file := range map[string]string{"site": "raw.ndjson", "both": "raw.ndjson", "both/": "copies.ndjson"} {
		prefix := root[:4] + "/load/"
		var acked []string
		for _, p := range b.pubs {
			for _, m := range p.acked {
				if m.Topic[:len(prefix)] == prefix {
					acked = append(acked, m.Payload)
					two[m.Payload] = m.QoS == 2
				}
			}
		}
		l, d := lostAndTwice(acked, rowPayloads(e, file, prefix))
		lost = append(lost, l...)
		for _, p := range d {
			if two[p] {
				doubled = append(doubled, p)
			}
		}
	}
	return lost, doubled
}

// publish publishes ten messages at a time until stop, and repeats what was not acknowledged whenever it has to connect again.
func (b *busy) publish(i int, qos byte) {
	p := b.pubs[i]
	for n := 0; !b.stop.Load(); time.Sleep(15 * time.Millisecond) {
		if p.w == nil && p.come() != nil {
			p.leave()
			continue
		}
		var ms []rawmqtt.Publish
		if len(p.open) == 0 {
			for range 10 {
				topic := []string{"site", "free", "both"}[n%3] + "/load/" + p.login.ID
				ms = append(ms, rawmqtt.Publish{Topic: topic, QoS: qos, Payload: fmt.Sprintf("%s %06d", topic, n)})
				n++
			}
		}
		if p.send(ms...) != nil || p.settle() != nil {
			p.leave()
			continue
		}
		b.done[i].Add(1)
	}
}

// comeAndGo connects for some time and leaves for some time, until stop.
func (b *busy) comeAndGo(s *subscriber) {
	for !b.stop.Load() {
		for until := time.Now().Add(time.Duration(rand.IntN(400)) * time.Millisecond); s.w != nil && time.Now().Before(until); {
			if _, err := s.step(time.Until(until)); err != nil {
				break
			}
		}
		s.leave()
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		if present, err := s.come(); err != nil {
			s.leave()
		} else if !present {
			s.wrong = append(s.wrong, s.login.ID+": the session was gone")
		}
	}
}
