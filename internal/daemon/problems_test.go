package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/batches"
	"edged/blockstore"
	"edged/broker/remote"
	"edged/gpio"
	"edged/internal/supervise"
	"edged/sinks/delivery"
)

var (
	noon  = time.Date(2026, 11, 21, 12, 0, 0, 0, time.Local)
	early = noon.Add(-118 * time.Minute) // 10:02
)

func holdingSink(name string, h delivery.Health, ds ...delivery.Status) SinkStatus {
	for i := range ds {
		ds[i].Sink, ds[i].Balanced = name, true
	}
	return SinkStatus{Name: name, Part: supervise.State{State: "running"}, Health: h, Deliveries: ds}
}

func joining(name string, j batches.JoinStatus) StreamStatus {
	s := windowed(name)
	s.Join = &j
	return s
}

func windowed(name string) StreamStatus {
	return StreamStatus{supervise.State{State: "running"}, batches.Status{Stream: name, Windowed: true, Balanced: true}}
}

func TestSentences(t *testing.T) {
	running := supervise.State{State: "running"}
	pending := func(stream string, rows, bytes int64) delivery.Status {
		return delivery.Status{Stream: stream, Pending: rows, PendingBytes: bytes}
	}
	ill := func(cause, remedy string) delivery.Health {
		return delivery.Health{State: "holding", Problem: "POST …: " + cause, Cause: cause, Remedy: remedy, Since: early, Next: noon.Add(time.Minute)}
	}
	for name, c := range map[string]struct {
		s     Status
		f     facts
		want  []string
		notes []string
	}{
		"nothing": {},
		"streams that have just begun": {
			f: facts{awaited: []string{edged.StreamCursor("raw")}, awaitedSince: noon.Add(-time.Second)},
		},
		"a sink that cannot begin": {
			f:    facts{awaited: []string{edged.DeliveryCursor("raw", "cloud"), edged.StreamCursor("slow")}, awaitedSince: early},
			want: []string{"the store frees nothing since 10:02, so that nothing is missing when these begin: sink cloud, for stream raw; stream slow; see what keeps them from it"},
		},
		"a token that is refused": {
			s:    Status{Streams: []StreamStatus{windowed("pins")}, Sinks: []SinkStatus{holdingSink("cloud", ill("401", "check token_file"), pending("pins", 1204, 3_100_000))}},
			want: []string{"sink cloud: 401 since 10:02, holding 1,204 results (3.1 MB); check token_file"},
		},
		"since yesterday, and nothing waits": {
			s:    Status{Sinks: []SinkStatus{holdingSink("cloud", delivery.Health{Problem: "x", Cause: "connection refused", Since: noon.AddDate(0, 0, -1)}, pending("raw", 0, 0))}},
			want: []string{"sink cloud: connection refused since 2026-11-20 12:00"},
		},
		"results and messages": {
			s: Status{Streams: []StreamStatus{windowed("pins")}, Sinks: []SinkStatus{
				holdingSink("cloud", ill("503", "the fault is the server's: look there"), pending("pins", 1, 100), pending("raw", 3, 50))}},
			want: []string{"sink cloud: 503 since 10:02, holding 4 rows (150 B); the fault is the server's: look there"},
		},
		"one message, tried again late": {
			s:    Status{Sinks: []SinkStatus{holdingSink("cloud", delivery.Health{Problem: "429", Cause: "429", Since: early, Next: noon.Add(30 * time.Minute)}, pending("raw", 1, 99))}},
			want: []string{"sink cloud: 429 since 10:02, holding 1 message (99 B), next try at 12:30"},
		},
		"a table that cannot be read": {
			s:    Status{Streams: []StreamStatus{joining("pins", batches.JoinStatus{With: "devices", Rows: 3, Refused: "not csv: line 2: two fields"})}},
			want: []string{"stream pins: the latest table of receiver devices cannot be read, and the one before is in force; correct the file: not csv: line 2: two fields"},
		},
		"the first table cannot be read": {
			s:    Status{Streams: []StreamStatus{joining("pins", batches.JoinStatus{With: "devices", Missing: true, Refused: "not csv"})}},
			want: []string{"stream pins: the table of receiver devices cannot be read, and there is no other one: rows find no partner in it; correct the file: not csv"},
		},
		"a disk that is full": {
			s:    Status{Sinks: []SinkStatus{holdingSink("archive", ill("cannot write /d/raw.ndjson: no space left on device", "make room on the file system of /d"), pending("raw", 20, 2000))}},
			want: []string{"sink archive: cannot write /d/raw.ndjson: no space left on device since 10:02, holding 20 messages (2.0 kB); make room on the file system of /d"},
		},
		"an error that explains nothing": {
			s:    Status{Sinks: []SinkStatus{holdingSink("x", delivery.Health{Problem: "all of it", Since: early})}},
			want: []string{"sink x: all of it since 10:02"},
		},
		"intake is stopped": {
			s:    Status{Blocked: map[string]string{"raw": "cloud"}, Sinks: []SinkStatus{holdingSink("cloud", delivery.Health{}, delivery.Status{Stream: "raw", MaxPending: 512 << 20})}},
			want: []string{`stream raw: intake is stopped, publishers wait: sink cloud holds back its max_pending (512 MiB); mend the sink, or give it when_full = "drop_oldest"`},
		},
		"the store is full": {
			s:    Status{Store: StoreStatus{Space: blockstore.Space{Used: 1003 << 20, Max: 1 << 30, Reserve: 21 << 20, Room: 0, DiskFree: 9e9, DiskKept: 2e8, Full: true}}},
			f:    facts{holder: edged.DeliveryCursor("raw", "cloud"), heldBy: 900_000_000},
			want: []string{"the store is full, 1.0 GiB of 1 GiB: nothing is taken in, publishers wait; sink cloud, for stream raw, holds 900 MB of it: mend that, or raise store.max_bytes"},
		},
		"the disk under the store is full": {
			s:    Status{DataDir: "/d", Store: StoreStatus{Space: blockstore.Space{Used: 100, Max: 1 << 30, Reserve: 21 << 20, DiskFree: 150_000_000, DiskKept: 200 << 20, Full: true}}},
			want: []string{"the store cannot grow: the disk has 150 MB free, and store.reserve_free keeps 200 MiB: nothing is taken in, publishers wait; make room on the file system of /d"},
		},
		"the system keeps the store's file small": {
			s:    Status{Store: StoreStatus{Space: blockstore.Space{Used: 12 << 20, Max: 1 << 30, Reserve: 21 << 20, Room: 991 << 20, DiskFree: 9e9, DiskKept: 2e8, Full: true}}},
			want: []string{"the store cannot grow, although the disk has 9.0 GB free: nothing is taken in, publishers wait; is there a quota, or a limit on the size of files (ulimit -f, LimitFSIZE)?"},
		},
		"an external broker is away, and dropped before": {
			s: Status{Receivers: []ReceiverStatus{{Name: "far", Part: running, Balanced: true,
				Link: &remote.LinkStatus{Broker: "tcp://b:1883", Since: early, Error: "connection refused", Dropped: 1040}}}},
			want:  []string{"receiver far: no connection to tcp://b:1883 since 10:02 (connection refused); check the link and the broker"},
			notes: []string{"receiver far: since its start tcp://b:1883 has dropped 1,040 messages because clients' queues were full, perhaps this one's: set max_queued_messages 0 in its mosquitto.conf"},
		},
		"a receiver that has stopped": {
			s:    Status{Receivers: []ReceiverStatus{{Name: "far", Part: supervise.State{State: "stopped", Since: early, LastErr: "bad credentials"}, Balanced: true}}},
			want: []string{"receiver far: stopped since 10:02: bad credentials; correct it, then: edged reload"},
		},
		"the pins' broker is away": {
			s: Status{
				Publisher: &PublisherStatus{Part: running, Link: remote.LinkStatus{Broker: "tcp://b:1883", Since: early, Error: "gone"}, Outbox: remote.Outbox{Waiting: 1000, Dropped: 2655}},
				Pins:      []gpio.PinStatus{{Name: "door", State: "running", PublishError: "too slow"}, {Name: "tap", State: "waiting", LastError: "busy"}},
			},
			want: []string{
				"the publisher of the pins: no connection to tcp://b:1883 since 10:02 (gone), 1,000 readings wait, 2,655 dropped so far; check the link and the broker",
				"pin door: readings are dropped, each is a gap in seq: too slow", "pin tap: waiting: busy",
			},
		},
		"what is missing": {
			s: Status{
				Receivers: []ReceiverStatus{{Name: "field", Part: running, InQueue: 1000}},
				Streams:   []StreamStatus{{running, batches.Status{Stream: "raw", Pending: 2}}},
				Sinks:     []SinkStatus{{Name: "cloud", Part: running, Deliveries: []delivery.Status{{Stream: "raw", Sink: "cloud", Pending: -3}}}},
			},
			want: []string{
				"receiver field: the ledger does not balance, 1,000 messages are missing; please report it",
				"stream raw: the ledger does not balance, 2 messages are missing; please report it",
				"stream raw to sink cloud: the ledger does not balance, -3 messages are missing; please report it",
			},
		},
		"what was lost as configured": {
			s: Status{Streams: []StreamStatus{windowed("pins")}, Sinks: []SinkStatus{holdingSink("cloud", delivery.Health{},
				delivery.Status{Stream: "pins", WhenFull: "drop_oldest", Counts: delivery.Counts{Dropped: 1204, Damaged: 1}})}},
			notes: []string{`sink cloud: of stream pins 1,204 results were dropped by a configured limit (when_full = "drop_oldest")`, "sink cloud: of stream pins 1 result was in blocks that could not be read, counted as damaged"},
		},
		"values of another type": {
			s: Status{Streams: []StreamStatus{{running, batches.Status{Stream: "pins", Balanced: true, Types: []batches.TypeErrors{
				{Column: "temp", Type: "float", Declared: true, Last: "text", Values: 1204}, {Column: "door", Type: "bool", Last: "float", Values: 1}}}}}},
			want:  []string{"stream pins: column temp: since the start 1,204 values were not float, the last one was text: they are null; check columns, or the sender"},
			notes: []string{"stream pins: column door: since the start 1 value was not bool, the last one was float: they stay as they are; name the column in columns to have one type"},
		},
		"dead letters": {
			s:     Status{Dead: &DeadLetters{Path: "/d/dead.ndjson", Count: 1037, Bytes: 70_000, Max: 64 << 20, Last: &DeadLetter{Time: early, Stream: "pins", Sink: "cloud", Reason: "422"}}},
			notes: []string{"dead letters: 1,037 so far, in /d/dead.ndjson (70 kB); the last, of 10:02, from stream pins for sink cloud: 422"},
		},
		"no room for dead letters": {
			s:     Status{Dead: &DeadLetters{Path: "/d/dead.ndjson", Count: 9, Dropped: 12, Bytes: 64<<20 - 7, Max: 64 << 20}},
			want:  []string{"dead letters: /d/dead.ndjson is full (64.0 MiB of 64 MiB), and 12 were not kept; read it, then empty it or move it away"},
			notes: []string{"dead letters: 9 so far, in /d/dead.ndjson (67 MB)"},
		},
		"dead letters that somebody took away": {s: Status{Dead: &DeadLetters{Path: "/d/dead.ndjson", Count: 9, Max: 64 << 20}}},
		"the rest": {
			s: Status{Kept: []Kept{{"delivery/old/cloud", 5000}}},
			f: facts{stuck: errors.New("a commit has been under way for 50s"), refused: map[string]error{"http": errors.New("no certificate")}},
			want: []string{
				"edged is stuck: a commit has been under way for 50s; systemd's watchdog restarts it",
				"http: its files were changed and cannot be used: no certificate; what was read before stays in use until the next start, which will fail",
				"delivery/old/cloud is not configured any more, and holds back 5.0 kB until it is given up at max_pending; to give it up now: edged store forget delivery/old/cloud",
			},
		},
	} {
		c.f.now = noon
		problems, notes := c.s.sentences(c.f)
		if !slices.Equal(problems, c.want) || !slices.Equal(notes, c.notes) {
			t.Errorf("%s:\n  %s\nwant\n  %s\nnotes\n  %s\nwant\n  %s", name, strings.Join(problems, "\n  "), strings.Join(c.want, "\n  "), strings.Join(notes, "\n  "), strings.Join(c.notes, "\n  "))
		}
	}
}

func TestTheLastDeadLetter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dead.ndjson")
	line := `{"stream":"pins","time":"2026-11-21T10:02:00Z","sink":"cloud","reason":"422","topic":"a","payload":"x"}` + "\n"
	long := `{"stream":"pins","payload":"` + strings.Repeat("x", 2*letterTail) + `"}` + "\n"
	for name, c := range map[string]struct {
		text string
		want string // the reason; "" is no letter
	}{
		"one": {line, "422"}, "many": {strings.Repeat(line, 3000), "422"}, "one being written": {line + `{"stream":"pi`, "422"},
		"none whole": {`{"stream":"pi`, ""}, "empty": {"", ""}, "a long one": {line + long, ""}, "one behind a long one": {long + line, "422"}, "no JSON": {"x\n", ""},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		size, l := lastLetter(path)
		got := ""
		if l != nil {
			got = l.Reason
		}
		if size != int64(len(c.text)) || got != c.want {
			t.Errorf("%s: %d bytes, %q", name, size, got)
		}
	}
	if size, l := lastLetter(path + "nowhere"); size != 0 || l != nil {
		t.Error(size, l)
	}
}
