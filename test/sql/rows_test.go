package sql

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"edged"
)

// raw is a generated message: the texts are JSON as it stands in the payload, "" for a field that is not there.
type raw struct {
	device, kind     string
	arrival          int64 // ns
	ts               int64 // ms
	v, c, b, s, m, h string
	receiver         int
	block            uint64
}

// epoch0 is where generated time begins: a multiple of no window.
const epoch0 = 1_750_000_003_217

// silence is how long nobody reports now and then, ms.
const silence = 100_000

// source is a device's kind: it reports in bursts of 20 to 90 s, with one to two minutes of silence between them.
type source struct {
	device, kind string
	on           bool
	until        int64 // ms
	counter      int64
	v            int64 // in 64ths: exact in decimal and binary
}

// generate makes n messages in the order of their arrival. A tenth is up to 4 s on its way, a hundredth 6 to 30 s, a thousandth 200 to 300 s, and longer if
// nobody reports meanwhile: then its burst is long over, by any watermark of the scenarios, and other messages are still coming.
func generate(seed uint64, n int) []raw {
	rnd := rand.New(rand.NewPCG(seed, seed))
	between := func(from, to int64) int64 { return from + rnd.Int64N(to-from+1) }
	var sources []*source
	for d := 1; d <= 6; d++ {
		for _, kind := range []string{"in", "out"} {
			sources = append(sources, &source{device: fmt.Sprint("d", d), kind: kind, until: epoch0 + between(0, 60_000), v: between(-2000, 8000)})
		}
	}
	many := rand.NewZipf(rnd, 1.2, 3, 200_000)
	rows := make([]raw, 0, n)
	var silences []int64 // their begins, ms
	for at := int64(epoch0); len(rows) < n; at += int64(rnd.ExpFloat64() * 12) {
		if rnd.IntN(100_000) == 0 {
			silences = append(silences, at)
			at += silence // nobody reports
		}
		s := sources[rnd.IntN(len(sources))]
		for at >= s.until {
			if s.on = !s.on; s.on {
				s.until += between(20_000, 90_000)
			} else {
				s.until += between(60_000, 120_000)
			}
		}
		if !s.on {
			continue
		}
		r := raw{device: s.device, kind: s.kind, ts: at, arrival: at*1e6 + between(0, 200e6)}
		switch odd := rnd.IntN(1000); {
		case odd == 0:
			r.arrival += between(200e9, 300e9)
		case odd < 11:
			r.arrival += between(6e9, 30e9)
		case odd < 111:
			r.arrival += between(0, 4e9)
		}
		s.fill(&r, rnd, many.Uint64())
		rows = append(rows, r)
	}
	for i := range rows {
		if r := &rows[i]; r.arrival-r.ts*1e6 > 100e9 {
			for _, from := range silences {
				if r.ts < from+silence && r.arrival > from*1e6 {
					r.arrival += silence * 1e6
				}
			}
		}
	}
	end := rows[n-1].ts * 1e6
	for i := range rows {
		if rows[i].arrival > end {
			rows[i].arrival = rows[i].ts * 1e6
		}
	}
	slices.SortStableFunc(rows, func(a, b raw) int { return cmp.Compare(a.arrival, b.arrival) })
	return rows
}

// fill draws what a message says.
func (s *source) fill(r *raw, rnd *rand.Rand, many uint64) {
	s.v += rnd.Int64N(129) - 64
	if rnd.IntN(50) == 0 {
		s.v = rnd.Int64N(12_800) - 3200
	}
	r.v = strconv.FormatFloat(float64(s.v)/64, 'f', -1, 64)
	if rnd.IntN(40) == 0 {
		r.v = []string{"", "null", `"n/a"`, "true", "0"}[rnd.IntN(5)]
	}
	s.counter += rnd.Int64N(20)
	if rnd.IntN(300) == 0 {
		s.counter = rnd.Int64N(5) // a reset
	}
	if rnd.IntN(30) > 0 {
		r.c = strconv.FormatInt(s.counter, 10)
	}
	r.b = []string{"true", "true", "false", "false", "1", "0", "2.5", "null", "", `"x"`}[rnd.IntN(10)]
	r.s = []string{`"on"`, `"on"`, `"off"`, `"idle"`, "null", "", "1"}[rnd.IntN(7)]
	r.m = []string{`"a"`, `"b"`, `"ab"`, `"straße"`, "true", "false", "-1.5", "0", "3", "10", "null", ""}[rnd.IntN(12)]
	r.h = strconv.FormatUint(many, 10)
}

func (r *raw) payload() []byte {
	b := fmt.Appendf(nil, `{"ts":%d`, r.ts)
	for i, text := range []string{r.v, r.c, r.b, r.s, r.m, r.h} {
		if text != "" {
			b = append(append(append(b, ',', '"', "vcbsmh"[i]), '"', ':'), text...)
		}
	}
	return append(b, '}')
}

// receivers are those that the messages come by. Device d5 reports by both, so that its messages stand in the log out of the order of their arrival.
var receivers = []string{"a", "b"}

// blocks makes the log of the messages: for each stretch of time a block of each receiver. It sorts the messages into the order of the log and
// notes their blocks. last is the last cut.
func blocks(seed uint64, rows []raw) (log []edged.Entry, last int64) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	for from, to := 0, 0; from < len(rows); from = to {
		last = rows[from].arrival + rnd.Int64N(int64(1500*time.Millisecond))
		for to = from; to < len(rows) && rows[to].arrival <= last; to++ {
			r := &rows[to]
			if r.receiver = int(r.device[1]) % 2; r.device == "d5" {
				r.receiver = rnd.IntN(2)
			}
		}
		part := rows[from:to]
		slices.SortStableFunc(part, func(a, b raw) int { return cmp.Compare(a.receiver, b.receiver) })
		for i := range part {
			if i == 0 || part[i].receiver != part[i-1].receiver {
				log = append(log, edged.Entry{Seq: uint64(len(log)) + 1, Block: &edged.Block{
					Seq: uint64(len(log)) + 1, Receiver: receivers[part[i].receiver], Cut: edged.Instant{Wall: last}, Trusted: true,
				}})
			}
			b := log[len(log)-1].Block
			part[i].block = b.Seq
			put(b, &part[i])
		}
		log = append(log, tick(uint64(len(log))+1, last))
	}
	return log, last
}

// put appends a message to a block.
func put(b *edged.Block, r *raw) {
	name := "site/" + r.device + "/" + r.kind
	i := slices.Index(b.Topics, name)
	if i < 0 {
		i = len(b.Topics)
		b.Topics = append(b.Topics, name)
	}
	b.Topic = append(b.Topic, uint32(i))
	b.Arrival = append(b.Arrival, r.arrival)
	b.Flags = append(b.Flags, 1)
	b.Data = append(b.Data, r.payload()...)
	b.End = append(b.End, uint32(len(b.Data)))
}

// tick says that nothing is under way with any receiver.
func tick(seq uint64, cut int64) edged.Entry {
	t := &edged.Tick{Seq: seq}
	for _, r := range receivers {
		t.Receivers = append(t.Receivers, edged.ReceiverTotal{Receiver: r, Cut: edged.Instant{Wall: cut}})
	}
	return edged.Entry{Seq: seq, Tick: t}
}

// writeCSV writes the messages as they came, for SQLite.
func writeCSV(t *testing.T, path string, rows []raw) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := csv.NewWriter(f)
	for i := range rows {
		r := &rows[i]
		_ = w.Write([]string{ // what goes wrong is said by Error
			strconv.Itoa(i + 1), strconv.FormatUint(r.block, 10), strconv.FormatInt(r.arrival, 10), strconv.FormatInt(r.ts, 10), r.device, r.kind, r.v, r.c, r.b, r.s, r.m, r.h,
		})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
