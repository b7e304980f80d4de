package fault

import (
	"fmt"
	"io"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/rawmqtt"
	"edged/test/verdict"
)

// A client starts clean while deliveries of its old session wait for a commit: what they write and what ends the session are in one commit then. After
// a kill nothing of the old session is there.
func TestSessionsStartedCleanAmidDeliveries(t *testing.T) {
	t.Parallel()
	e := harness.New(t, sessionConfig)
	slowDisk(t, e, 100*time.Millisecond)
	e.Start()
	all := make([]*subscriber, 10)
	var early []rawmqtt.Publish
	for i := range all {
		early = append(early, messages(fmt.Sprintf("free/clean/%d/old", i), 2, 5)...)
	}
	inParallel(t, all, func(i int) error {
		s := newSubscriber(e, true, fmt.Sprintf("clean%d", i))
		all[i] = s
		if _, err := s.come(); err != nil {
			return err
		}
		return s.subscribe(fmt.Sprintf("free/clean/%d/old", i), 2)
	})
	p := newPublisher(e, false, "publisher")
	stop := commitsWithoutEnd(t, e)
	must(t, p.come())
	must(t, p.send(early...))
	for len(p.acked) < len(early) {
		must(t, p.step())
	}
	for _, s := range all {
		s.login.Keep = false
		_, err := s.come()
		must(t, err)
		s.login.Keep = true
	}
	inParallel(t, all, func(i int) error { return all[i].subscribe(fmt.Sprintf("free/clean/%d/new", i), 1) })
	e.Kill()
	stop()
	e.Wrap = nil
	e.Start()
	p.leave()
	must(t, p.insist(20*time.Second))
	for i := range all {
		p.must(t, messages(fmt.Sprintf("free/clean/%d/old", i), 2, 6)[5:]...)
		p.must(t, messages(fmt.Sprintf("free/clean/%d/new", i), 2, 1)...)
	}
	v := verdict.Verdict{Fault: "sessions: kill -9 after clean starts amid deliveries with QoS 2", Acked: int64(len(all))}
	for i, s := range all {
		s.back(t, true)
		s.seen = func(f rawmqtt.Frame) {
			if f.Kind == 0x62 {
				t.Errorf("%s: PUBREL of a session that has ended: %v", s.login.ID, f)
			}
		}
		wanted := fmt.Sprintf("free/clean/%d/new %06d", i, 0)
		must(t, s.collect([]string{wanted}))
		lost, _ := lostAndTwice([]string{wanted}, s.payloads(1))
		v.Lost += int64(len(lost))
		for _, m := range s.got {
			if m.Payload != wanted {
				t.Errorf("%s: of a session that has ended: %+v", s.login.ID, m)
				v.Doubled++
			}
		}
	}
	settled(t, e)
	v.Holds(t)
}

// commitsWithoutEnd publishes all the time, so that a commit follows the other and something always waits for the next one.
func commitsWithoutEnd(t *testing.T, e *harness.Edged) (stop func()) {
	t.Helper()
	w, _, err := rawmqtt.Reach(addr(e), rawmqtt.Connect{ID: "other"})
	must(t, err)
	go func() { _, _ = io.Copy(io.Discard, w.Conn) }()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for id := uint16(1); ; id++ {
			if _, err := w.Write((rawmqtt.Publish{Topic: "site/clean", QoS: 1, ID: id, Payload: "other"}).Bytes(false)); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return func() { w.Drop(); <-ended }
}
