//go:build linux

package machine

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"edged/test/harness"
	"edged/test/load"
	"edged/test/need"
	"edged/test/rawmqtt"
	"edged/test/verdict"

	"golang.org/x/sys/unix"
)

// Sizes of the machine's disks: the one that fails, the log of what was written to it, and the one on which it is made again.
const (
	diskSize = 64 << 20
	logSize  = 2 << 30
)

var disks = []int64{diskSize, logSize, diskSize}

// The power fails on a machine with ext4 on its disk. The kernel logs every write and flush; from that log disks are made as they were at many moments,
// with some of what was not flushed, and one write of it torn. Each is mounted, and the gateway started on it.
func TestPowerCut(t *testing.T) {
	if !all() {
		t.Skip("the long form runs it")
	}
	if !(Machine{Disks: disks, Within: 12 * time.Minute}).Inside(t) {
		return
	}
	powerCuts(t, "", 20).Holds(t)
}

// The check fails for a program that syncs nothing.
func TestPowerCutControl(t *testing.T) {
	if !all() {
		t.Skip("the long form runs it")
	}
	if !(Machine{Disks: disks, Tags: []string{"edged_nosync"}}).Inside(t) {
		return
	}
	powerCuts(t, "edged_nosync", 12).Breaks(t)
}

func powerCuts(t *testing.T, tag string, n int) verdict.Verdict {
	v := verdict.Verdict{Fault: fmt.Sprintf("power cut, ext4, %d moments: unflushed writes lost, reordered, torn", n)}
	if tag != "" {
		v.Fault = "power cut, ext4, with a program that syncs nothing"
	}
	marks := record(t, tag)
	logged, err := os.Open("/dev/ubdb")
	if err != nil {
		t.Fatal(err)
	}
	defer logged.Close()
	log := readLog(t, logged)
	seed := uint64(time.Now().UnixNano())
	t.Logf("%d entries in the log, %d marks, seed %d", len(log), len(marks), seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range n {
		c := cutAt(log, r)
		t.Log(c)
		disk, err := os.OpenFile("/dev/ubdc", os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		replay(t, log, c, logged, disk, diskSize)
		disk.Close()
		acked, lost, doubled := after(t, tag, marks[c.mark])
		v.Acked, v.Lost, v.Doubled = v.Acked+acked, v.Lost+lost, v.Doubled+doubled
		if tag != "" && v.Lost > 0 {
			break // it is shown
		}
	}
	v.Expected = fmt.Sprintf("%d writes and flushes logged, seed %d", len(log), seed)
	return v
}

// publishers is how many publish, each one message after the other.
const publishers = 8

// acked is what each had been acknowledged last, and acknowledged how the marks' names begin.
type acked [publishers]int64

const acknowledged = "acked-"

// record publishes to a gateway whose disk's writes are logged, and returns by the name of each mark in the log what had been acknowledged before it.
func record(t *testing.T, tag string) map[string]acked {
	dmsetup := need.Tool(t, "dmsetup")
	for _, name := range []string{"dm-mod", "dm-log-writes"} {
		module(t, "/usr/lib/uml/modules/"+release(t)+"/kernel/drivers/md/"+name+".ko")
	}
	harness.Run(t, dmsetup, "create", "logged", "--noudevsync", "--table", fmt.Sprintf("0 %d log-writes /dev/ubda /dev/ubdb", diskSize/sector))
	harness.Run(t, need.Tool(t, "mkfs.ext4"), "-q", "/dev/dm-0")
	at := mounted(t, "/dev/dm-0")
	e := gateway(t, at, tag)
	e.Start()
	var now [publishers]atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range publishers {
		wg.Go(func() {
			if err := publish(e.Broker, i, &now[i], stop); err != nil {
				t.Error(err)
			}
		})
	}
	marks := map[string]acked{}
	for i := range 40 {
		time.Sleep(100 * time.Millisecond) // of load
		var a acked
		for i := range a {
			a[i] = now[i].Load()
		}
		name := fmt.Sprint(acknowledged, i)
		harness.Run(t, dmsetup, "message", "logged", "0", "mark", name)
		marks[name] = a
	}
	close(stop)
	wg.Wait()
	e.Kill()
	if err := unix.Unmount(at, 0); err != nil {
		t.Fatal(err)
	}
	harness.Run(t, dmsetup, "remove", "--noudevsync", "logged")
	return marks
}

// publish publishes at QoS 1 until stop is closed, and counts what is acknowledged.
func publish(port, conn int, acked *atomic.Int64, stop <-chan struct{}) error {
	c, _, err := rawmqtt.Reach(fmt.Sprintf("127.0.0.1:%d", port), rawmqtt.Connect{ID: fmt.Sprint("p", conn)})
	if err != nil {
		return err
	}
	defer c.Drop()
	for seq := int64(1); ; seq++ {
		select {
		case <-stop:
			return nil
		default:
		}
		m := rawmqtt.Publish{Topic: fmt.Sprintf("site/%d/gpio/1", conn), Payload: fmt.Sprintf(`{"value":1,"seq":%d}`, seq), QoS: 1, ID: uint16(seq%60000 + 1)}
		if _, err := c.Write(m.Bytes(false)); err != nil {
			return err
		}
		if _, err := c.Want(0x40); err != nil {
			return err
		}
		acked.Store(seq)
	}
}

// after starts the gateway on the disk that the cut has left, and judges: what had been acknowledged is in the raw file, nothing is in it twice, and the windows
// count what it holds.
func after(t *testing.T, tag string, a acked) (n, lost, doubled int64) {
	at := mounted(t, "/dev/ubdc")
	defer func() {
		if err := unix.Unmount(at, 0); err != nil {
			t.Fatal(err)
		}
	}()
	e := gateway(t, at, tag)
	if tag == "" {
		e.Start()
		defer e.Kill()
		e.AtRest(30 * time.Second)
	} else if starts(e) { // it may not even open
		defer e.Kill()
		time.Sleep(3 * time.Second) // what is not there by then was lost
	}
	rows := e.Rows("raw.ndjson")
	seen := map[string]int64{}
	for _, r := range rows {
		p := r["payload"].(map[string]any)
		key := fmt.Sprint(r["topic"], " ", p["seq"])
		if seen[key]++; seen[key] > 1 {
			doubled++
		}
	}
	for conn, last := range a {
		for seq := int64(1); seq <= last; seq++ {
			n++
			if seen[fmt.Sprintf("site/%d/gpio/1 %d", conn, seq)] == 0 {
				lost++
			}
		}
	}
	if tag == "" {
		load.SameCounts(t, e, rows)
	}
	return n, lost, doubled
}

// starts reports whether the gateway gets ready; it ends by itself if it does not.
func starts(e *harness.Edged) bool {
	e.Launch()
	ended := e.Ended()
	for {
		select {
		case <-ended:
			return false
		case <-time.After(50 * time.Millisecond):
		}
		if res, err := http.Get(e.URL("/readyz")); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return true
			}
		}
	}
}

func mounted(t *testing.T, disk string) string {
	t.Helper()
	at := t.TempDir()
	if out, err := exec.Command("mount", "-t", "ext4", disk, at).CombinedOutput(); err != nil {
		t.Fatalf("mount %s: %v\n%s", disk, err, out)
	}
	return at
}

// gateway has its data directory on a mounted disk.
func gateway(t *testing.T, at, tag string) *harness.Edged {
	e := harness.New(t, load.Config)
	e.Dir, e.Tag = at+"/data", tag
	e.Configure(load.Config)
	return e
}
