package sizing

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"edged/configs"
)

// Report is what a gateway needs, and how long it lasts. Bytes and days are floats, because they are estimates.
type Report struct {
	Assumed []string `json:"assumed"` // what nobody said
	Flows   []Flow   `json:"flows"`

	Messages float64 `json:"messages_per_second"`
	Payload  float64 `json:"payload_bytes_per_day"` // topics and payloads that are stored
	Store    Store   `json:"store"`
	Streams  []Given `json:"streams"`
	Sinks    []Sink  `json:"sinks"`
	Disk     Disk    `json:"disk"`
	Memory   Memory  `json:"memory"`
	CPU      CPU     `json:"cpu"`
	Card     Card    `json:"card"`

	Advice []string `json:"advice"` // the first one says what gives first
	Not    []string `json:"not_modelled"`
}

// Store is what the store's file costs.
type Store struct {
	Stored     float64 `json:"stored_bytes_per_day"` // what the block log grows by before it is freed
	Written    float64 `json:"written_bytes_per_day"`
	PerStored  float64 `json:"written_per_stored"` // for each byte of topics and payloads
	Commits    float64 `json:"commits_per_second"`
	PerCommit  float64 `json:"bytes_per_commit"`
	At         float64 `json:"commit_at"` // how far into commit_interval whoever waits has a commit: 0 at once, 1 at its end
	AckMiddle  float64 `json:"ack_ms_middle"`
	AckMost    float64 `json:"ack_ms_most"`
	AckNobody  bool    `json:"ack_nobody_waits"`
	CommitSync float64 `json:"sync_ms"`
}

// Given is what a stream gives.
type Given struct {
	Name   string  `json:"name"`
	In     float64 `json:"messages_per_second"`
	Rows   float64 `json:"rows_per_day"`
	Groups float64 `json:"groups"`
	Memory float64 `json:"memory_bytes"`      // of those groups
	Most   float64 `json:"memory_bytes_most"` // at max_groups
}

// Sink is what goes to a sink, and how long the gateway holds it if the sink is away.
type Sink struct {
	Name    string  `json:"name"`
	Type    string  `json:"type"`
	Rows    float64 `json:"rows_per_day"`
	Bytes   float64 `json:"bytes_per_day"`         // as NDJSON, before compression
	Written float64 `json:"written_bytes_per_day"` // to the disk; 0 if it is no file
	Kept    float64 `json:"kept_bytes"`            // of its files at most; 0: without a bound, or no file
	Away    float64 `json:"away_days"`             // until a bound is reached
	Bound   string  `json:"away_bound"`            // max_pending, max_bytes or disk; empty: nothing comes
	Then    string  `json:"away_then"`             // what happens then
}

// Disk is the file system of data_dir.
type Disk struct {
	Known bool    `json:"known"`
	Free  float64 `json:"free_bytes"`
	Needs float64 `json:"needs_bytes"`         // of what has a bound: the store, and files that are rotated and removed
	Grows float64 `json:"grows_bytes_per_day"` // of what has none
	Days  float64 `json:"days_until_full"`     // 0: never, or not known
}

// Memory is an estimate of anonymous memory.
type Memory struct {
	Bytes float64 `json:"bytes"`
	Most  float64 `json:"bytes_most"`  // with max_groups groups in every stream
	Limit float64 `json:"limit_bytes"` // memory_limit, 0 if it is auto
}

// CPU is the share of one processor.
type CPU struct {
	Share      float64 `json:"share"`
	PerMillion float64 `json:"seconds_per_million_messages"`
}

// Card is how long a card lasts.
type Card struct {
	TBW     float64 `json:"tbw"`
	Assumed bool    `json:"assumed"`
	Written float64 `json:"written_bytes_per_day"` // by the store and the files
	Years   float64 `json:"years"`                 // 0: nothing is written
}

// notModelled is said with every report.
var notModelled = []string{
	"where, changed and having: everything passes",
	"payloads that are not alike (pictures, ciphers): the store packs blocks of readings, and cannot pack those",
	"what the file system writes besides, its journal above all; retained messages, sessions of clients that are away, dead letters and late rows",
	"a publisher that stands still with 10 or more unacknowledged messages: it has early commits whatever the budget says",
	"the first hours, in which write_burst is not spent yet and acknowledgements come sooner",
}

// Make works out the report for a configuration.
func Make(c *configs.Config, a Ask) (*Report, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	fl, assumed, err := flows(c, &a)
	if err != nil {
		return nil, err
	}
	sync := cmp.Or(a.Sync, defaultSync)
	if a.Sync == 0 {
		assumed = append(assumed, "a commit takes the disk "+sync.String()+" (--sync)")
	}
	m := newModel(c, fl, sync.Seconds())
	r := &Report{Assumed: assumed, Flows: fl, Not: notModelled}
	for _, src := range m.sources {
		if src.memory {
			r.Not = append(slices.Clone(notModelled), fmt.Sprintf("what sinks that are away have not got of receiver %s: it is in memory_cache alone", src.name))
			break
		}
	}
	w := r.store(m)
	r.given(m)
	r.sinks(m, w, &a)
	r.rest(m, w, &a)
	r.Advice = advise(m, r, &a)
	return r, nil
}

const perDay = float64(day / time.Second)

func (r *Report) store(m *model) worn {
	w, at := m.worn()
	messages, waits, payload := m.rate()
	r.Messages, r.Payload = messages, payload*perDay
	s := &r.Store
	s.Stored, s.Written, s.Commits, s.At, s.CommitSync = w.logged*perDay, w.written*perDay, w.commits, at, 1e3*m.sync
	if w.commits > 0 {
		s.PerCommit = w.written / w.commits
	}
	if payload > 0 {
		s.PerStored = w.written / payload
	}
	interval := 1e3 * m.c.Store.CommitInterval.D().Seconds()
	switch s.AckNobody = waits == 0; {
	case at < 0.005:
		s.AckMiddle, s.AckMost = s.CommitSync, 2*s.CommitSync // the commit before
	default:
		s.AckMiddle, s.AckMost = at*interval/2+s.CommitSync, interval+2*s.CommitSync
	}
	return w
}

func (r *Report) given(m *model) {
	for i := range m.streams {
		s := &m.streams[i]
		g := Given{Name: s.Name, In: s.in, Rows: s.rows * perDay, Groups: s.groups, Memory: s.groups * float64(s.group), Most: float64(s.MaxGroups) * float64(s.group)}
		if s.group == 0 {
			g.Groups = 0
		}
		r.Streams = append(r.Streams, g)
	}
}

func (r *Report) sinks(m *model, w worn, a *Ask) {
	for i := range m.sinks {
		s := &m.sinks[i]
		out := Sink{Name: s.Name, Type: s.Common.Type, Rows: s.rows * perDay, Bytes: s.bytes * perDay}
		if s.isFile {
			out.Written = (s.bytes + s.turns*page) * perDay
			out.Kept = s.bounded
			r.Disk.Needs += s.bounded
			switch {
			case s.bounded > 0:
			case s.packed:
				r.Disk.Grows += out.Bytes * packs
			default:
				r.Disk.Grows += out.Bytes
			}
			r.Card.Written += out.Written
		}
		out.Away, out.Bound, out.Then = m.away(s, w, a)
		r.Sinks = append(r.Sinks, out)
	}
}

func (r *Report) rest(m *model, w worn, a *Ask) {
	store := m.c.Store
	d := &r.Disk
	d.Needs += float64(store.MaxBytes)
	if d.Known = a.Free >= 0; d.Known {
		d.Free = float64(a.Free)
		if d.Grows > 0 {
			d.Days = max(0, d.Free-d.Needs) / d.Grows
		}
	}
	decoded := r.Payload/perDay + r.Messages*heldMessage + w.commits*heldCommit
	cache := min(float64(store.MemoryCache), decoded*store.Keep.D().Seconds())
	r.Memory = Memory{Bytes: idleRSS + cache, Limit: float64(m.c.MemoryLimit.Or(0))}
	r.Memory.Bytes += loadRSS * min(1, r.Messages/1000)
	r.Memory.Most = r.Memory.Bytes
	for _, g := range r.Streams {
		r.Memory.Bytes += g.Memory
		r.Memory.Most += g.Most
	}
	r.CPU.Share = w.commits*perCommit.Seconds() + r.Messages*perIntake.Seconds()
	if r.Messages > 0 {
		r.CPU.PerMillion = 1e6 * r.CPU.Share / r.Messages
	}
	k := &r.Card
	k.TBW, k.Assumed = cmp.Or(a.TBW, cardTBW), a.TBW == 0
	if k.Written += r.Store.Written; k.Written > 0 {
		k.Years = k.TBW * 1e12 / k.Written / 365
	}
}
