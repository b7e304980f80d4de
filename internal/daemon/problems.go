package daemon

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"edged"
	"edged/internal/human"
	"edged/internal/supervise"
)

// facts are what the sentences need besides the status.
type facts struct {
	now          time.Time
	stuck        error    // what has not come round
	holder       string   // the cursor that holds back most of the log
	heldBy       int64    // and how much
	awaited      []string // cursors that there are to be, and are not yet
	awaitedSince time.Time
	refused      map[string]error // files that were changed and cannot be used
	config       string           // what is the matter with the configuration file
}

// speaker says what is wrong in sentences, each with what to do.
type speaker struct {
	*Status
	facts
	problems, notes []string
}

func (s *Status) sentences(f facts) (problems, notes []string) {
	p := &speaker{Status: s, facts: f}
	if f.stuck != nil {
		p.say("edged is stuck: %v; systemd's watchdog restarts it", f.stuck)
	}
	if f.config != "" {
		p.say("%s", f.config)
	}
	p.store()
	p.files()
	p.blocked()
	p.receivers()
	p.pins()
	p.streams()
	p.sinks()
	p.deadLetters()
	p.kept()
	return p.problems, p.notes
}

func (p *speaker) say(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

func (p *speaker) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

func (p *speaker) time(at time.Time) string { return human.Time(at, p.now) }

func (p *speaker) store() {
	for _, n := range p.Store.Notes {
		p.say("%s", n.Sentence())
	}
	if p.Store.Unreadable != "" {
		p.say("log entries cannot be read: %s. Messages in them are counted as damaged where they were to go; check the card or disk (dmesg), and the file (edged store verify)", p.Store.Unreadable)
	}
	p.awaits()
	p.room()
}

// slowStart is how long streams and sinks may take to begin before it is said that the store waits for them.
const slowStart = 30 * time.Second

func (p *speaker) awaits() {
	if len(p.awaited) == 0 || p.now.Sub(p.awaitedSince) < slowStart {
		return
	}
	var who []string
	for _, cursor := range p.awaited {
		who = append(who, strings.TrimSuffix(holder(cursor), ","))
	}
	p.say("the store frees nothing since %s, so that nothing is missing when these begin: %s; see what keeps them from it", p.time(p.awaitedSince), strings.Join(who, "; "))
}

func (p *speaker) room() {
	sp := p.Store.Space
	if !sp.Full {
		return
	}
	switch {
	case sp.Max-sp.Reserve-sp.Used > sp.Room: // it is not max_bytes that says how much
		p.say("the store cannot grow: the disk has %s free, and store.reserve_free keeps %s: nothing is taken in, publishers wait; make room on the file system of %s",
			human.Bytes(sp.DiskFree), human.Bytes(sp.DiskKept), p.DataDir)
		return
	case sp.Room >= 2<<20: // more than a block
		p.say("the store cannot grow, although the disk has %s free: nothing is taken in, publishers wait; is there a quota, or a limit on the size of files (ulimit -f, LimitFSIZE)?",
			human.Bytes(sp.DiskFree))
		return
	}
	holds := ""
	if p.heldBy > 0 {
		holds = fmt.Sprintf("%s holds %s of it: mend that, or ", holder(p.holder), human.Bytes(p.heldBy))
	}
	p.say("the store is full, %s: nothing is taken in, publishers wait; %sraise store.max_bytes", human.Of(sp.Used, sp.Max), holds)
}

// holder names a cursor as people know it.
func holder(cursor string) string {
	if stream, sink, ok := edged.SplitDelivery(cursor); ok {
		if sink == edged.DeadLetters {
			return "the dead letters' file"
		}
		return fmt.Sprintf("sink %s, for stream %s,", sink, stream)
	}
	return strings.Replace(cursor, "stream/", "stream ", 1)
}

func (p *speaker) files() {
	for _, name := range slices.Sorted(maps.Keys(p.refused)) {
		p.say("%s: its files were changed and cannot be used: %v; what was read before stays in use until the next start, which will fail", name, p.refused[name])
	}
}

func (p *speaker) blocked() {
	for _, stream := range slices.Sorted(maps.Keys(p.Blocked)) {
		sink, limit := p.Blocked[stream], int64(0)
		for _, k := range p.Sinks {
			for _, d := range k.Deliveries {
				if d.Stream == stream && d.Sink == sink {
					limit = d.MaxPending
				}
			}
		}
		p.say("stream %s: intake is stopped, publishers wait: sink %s holds back its max_pending (%s); mend the sink, or give it when_full = \"drop_oldest\"", stream, sink, human.Bytes(limit))
	}
}

// stands says of a part that does not run since when and why. It reports whether it had to.
func (p *speaker) stands(who string, s supervise.State) bool {
	switch s.State {
	case "waiting":
		p.say("%s: failed at %s, tried again soon: %s", who, p.time(s.Since), s.LastErr)
	case "stopped":
		p.say("%s: stopped since %s: %s; correct it, then: edged reload", who, p.time(s.Since), s.LastErr)
	default:
		return false
	}
	return true
}

// unbalanced is the ledger's worst sentence.
func (p *speaker) unbalanced(who string, n int64, what string) {
	p.say("%s: the ledger does not balance, %s %s are missing; please report it", who, human.Count(n), what)
}
