package fault

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/need"
	"edged/test/verdict"
)

// apart is load.Config with the store on a place of its own, {{dir}}/disk, the files elsewhere, and a second sink for the raw rows over HTTP.
func apart(store, cloud, url string) string {
	c := strings.NewReplacer(`data_dir = "{{dir}}"`, `data_dir = "{{dir}}/disk"`, `"raw.ndjson"`, `"{{dir}}/raw.ndjson"`,
		`"aggregates.ndjson"`, `"{{dir}}/aggregates.ndjson"`, `sinks = ["archive"]`, `sinks = ["archive", "cloud"]`).Replace(load.Config)
	return load.With(load.With(c, "store", store), "block", `queue_bytes = "1MiB"`) + "[sink.cloud]\ntype = \"http\"\nurl = \"" + url + "\"\n" + cloud + "\n"
}

// fullStore is a way for a store to have no room.
type fullStore struct {
	name  string
	store string // lines of [store]
	mib   int    // of the file system below it; 0: that of the machine
	wrap  []string
	stuff bool // somebody else takes the last block, too
	word  string
}

// A store without room, because a sink is away: no acknowledgement for what is not stored, publishers are refused; what can be delivered
// is; killed, it starts on the full disk, drains, frees, and takes in again, by itself.
func TestTheStoreIsFull(t *testing.T) {
	limited := []string{need.Tool(t, "prlimit"), "--fsize=12582912"}
	cases := []fullStore{
		{name: "the disk of the store is full to the last byte", mib: 24, stuff: true, word: "the store cannot grow"},
		{name: "max_bytes is reached", store: `max_bytes = "16MiB"`, word: "the store is full"},
		{name: "the file of the store may not grow further (EFBIG)", wrap: limited, word: "the store cannot grow"},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if i > 0 {
				long(t)
			}
			t.Parallel()
			v, e, rows := fill(t, c)
			v.Holds(t)
			load.SameCounts(t, e, rows)
		})
	}
}

func fill(t *testing.T, c fullStore) (verdict.Verdict, *harness.Edged, []map[string]any) {
	cloud := harness.NewServer(t)
	cloud.Answer(func(*http.Request, string) int { return http.StatusServiceUnavailable })
	e := harness.New(t, "")
	e.Configure(load.With(apart(c.store, "", cloud.URL), "sink.archive", `rotate_size = "4MiB"`))
	e.Wrap = c.wrap
	var disk volume
	if c.mib > 0 {
		disk = mount(t, e.Dir+"/disk", c.mib)
	}
	e.Start()
	var said []string
	run := load.Under(t, e, load.Plan{Rate: 2500, For: 6 * time.Second, Extra: []string{"-pad", "3000", "-drain", "3m"}}, func() {
		says(t, e, c.word)
		crowded(t, e)
		if code := refusal(t, e); code != 0x97 {
			t.Errorf("a full store answers with %#x", code)
		}
		said = append(said, "publishers refused with 0x97")
		harness.Until(t, 30*time.Second, "the other sink has everything", func() bool { return deliveryOf(t, e.Status(), "raw", "archive").Pending == 0 })
		empty := func() {}
		if c.stuff {
			empty = disk.stuff()
			if left := disk.free(); left > 0 {
				t.Errorf("%d bytes are still free", left)
			}
		}
		e.Kill()
		runs(t, e)
		says(t, e, c.word)
		crowded(t, e)
		if code := refusal(t, e); code != 0x97 {
			t.Errorf("a full store answers with %#x after a restart", code)
		}
		cloud.Answer(nil)
		harness.Until(t, 60*time.Second, "what was delivered is freed", func() bool { return e.Metric("edged_store_freed_entries_total") > 0 })
		harness.Until(t, 60*time.Second, "messages are taken in again", func() bool { return e.Metric("edged_store_messages_total") > 0 })
		if c.stuff {
			if left := disk.free(); left > 0 {
				t.Errorf("it was drained on a disk with %d bytes free", left)
			}
			said = append(said, "started, drained and took in on a disk without a free byte")
		}
		empty()
	})
	e.AtRest(60 * time.Second)
	v := load.Judge(t, e, run, c.name, "raw*.ndjson")
	keep(t, e, "cloud.ndjson", cloud.Rows())
	v = worse(v, load.Judge(t, e, run, c.name, "cloud.ndjson"))
	if _, _, other := cloud.Keys(); len(other) > 0 {
		t.Errorf("%d keys came with other bytes: %v", len(other), other)
	}
	if n := strings.Count(e.Log(), "the disk has no room for the store"); n > 10 { // it is filled, drained and filled again
		t.Errorf("it was said %d times that the disk has no room", n)
	}
	v.Expected = strings.Join(said, ", ")
	return v, e, cloud.Rows()
}

// The disk has no room for a while, and nobody could see it coming: what was cut waits and is stored when there is room, without a restart.
func TestAWriteOfTheStoreFindsNoRoom(t *testing.T) {
	for _, errno := range []string{"ENOSPC", "EDQUOT"} {
		t.Run(errno, func(t *testing.T) {
			if errno != "ENOSPC" {
				long(t)
			}
			t.Parallel()
			noRoom(t, "a write of the store says "+errno, errno, "", false).Holds(t)
		})
	}
}

// A program that acknowledges before it commits loses what waited for room when it was killed.
func TestAWriteOfTheStoreFindsNoRoomControl(t *testing.T) {
	long(t)
	t.Parallel()
	noRoom(t, "a write of the store says ENOSPC, acknowledged before the commit, SIGKILL", "ENOSPC", "edged_ackfirst", true).Breaks(t)
}

func noRoom(t *testing.T, fault, errno, tag string, kill bool) verdict.Verdict {
	e := harness.New(t, load.Config)
	e.Tag = tag
	e.Start()
	resumed := "resumed by itself"
	run := load.Under(t, e, load.Plan{Rate: 1500, For: 3 * time.Second}, func() {
		harness.Until(t, 30*time.Second, "something is acknowledged", func() bool { return e.Metric("edged_store_messages_total") > 500 })
		rules := "pwrite64:error=" + errno
		if kill { // what is put back is to hold more than a message
			rules += ":when=20+ fdatasync:delay_exit=50000"
		}
		heal := inject(t, e, e.Dir+"/edged.db", rules)
		if endsAtASeal(t, e) {
			heal()
			e.Start() // as systemd does
			resumed = "ended amid a commit, and resumed when it was started again"
			return
		}
		says(t, e, "the store cannot grow")
		if kill {
			e.Kill()
			heal()
			e.Start()
			return
		}
		before := e.Metric("edged_store_messages_total")
		heal()
		harness.Until(t, 30*time.Second, "messages are stored again", func() bool { return e.Metric("edged_store_messages_total") > before })
	})
	e.AtRest(30 * time.Second)
	v := load.Judge(t, e, run, fault, "raw.ndjson")
	v.Expected = resumed
	if !kill {
		load.SameCounts(t, e, e.Rows("raw.ndjson"))
	}
	return v
}

// endsAtASeal waits until there is no room, and reports whether that came between a commit's meta page and its seal: then the commit can neither be told nor be taken back,
// and the gateway ends, as after a sync that fails. Where a file system takes no new room for what is overwritten that cannot be; a test that begins at any moment can do it.
func endsAtASeal(t *testing.T, e *harness.Edged) (ends bool) {
	t.Helper()
	ended := e.Ended()
	harness.Until(t, 30*time.Second, "the store has no room", func() bool {
		select {
		case <-ended:
			if ends = true; !strings.Contains(e.Log(), "the disk did not confirm it") {
				t.Error("it ended, and does not say why")
			}
		default:
		}
		return ends || strings.Contains(e.Log(), "the disk has no room for the store")
	})
	if ends {
		_ = e.Wait(0)
	}
	return ends
}
