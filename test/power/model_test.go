package power

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// script is what strace would have written of one thread, with strings between {}.
func script(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		for {
			before, rest, ok := strings.Cut(l, "{")
			if !ok {
				break
			}
			text, after, _ := strings.Cut(rest, "}")
			hex := ""
			for _, c := range []byte(text) {
				hex += fmt.Sprintf(`\x%02x`, c)
			}
			l = before + `"` + hex + `"` + after
		}
		b.WriteString(l + "\n")
	}
	return b.String()
}

var (
	as, bs  = strings.Repeat("a", 700), strings.Repeat("b", 9000)
	written = []string{
		`7 openat(AT_FDCWD</>, {/r/f}, O_RDWR|O_CREAT|O_APPEND|O_CLOEXEC, 0640) = 3</r/f>`, // 0
		`7 write(3</r/f>, {` + as + `}, 700) = 700`,                                        // 1
		`7 fsync(3</r/f>) = 0`, // 2
		`7 openat(AT_FDCWD</>, {/r}, O_RDONLY|O_CLOEXEC) = 4</r>`,                                // 3
		`7 fsync(4</r>)      = 0`,                                                                // 4
		`8 write(3</r/f>, {` + bs + `}, 9000 <unfinished ...>`,                                   // 5
		`7 fsync(3</r/f>) = 0`,                                                                   // 6: began before the write had ended
		`8 <... write resumed>) = 9000`,                                                          // 7
		`7 renameat(AT_FDCWD</>, {/r/f}, AT_FDCWD</>, {/r/g}) = 0`,                               // 8
		`7 write(9<TCP:[127.0.0.1:1883->127.0.0.1:50001]>, {` + "\x40\x02\x00\x07" + `}, 4) = 4`, // 9
		`7 +++ exited with 0 +++`,                                                                // 10
	}
)

func recordOf(t *testing.T, lines ...string) *Record {
	t.Helper()
	r, err := Read("/r", nil, strings.NewReader(script(lines...)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// states are the states that many seeds give: "name: content", with runs of the same byte as their number.
func states(r *Record, cut int, d Data, n Names) map[string]bool {
	seen := map[string]bool{}
	for seed := range uint64(3000) {
		im := r.After(Fate{Cut: cut, Data: d, Names: n, Seed: seed})
		s := ""
		for name, node := range im.Nodes {
			s += name + ": " + runs(node.Data)
		}
		seen[s] = true
	}
	return seen
}

func runs(b []byte) string {
	s := ""
	for len(b) > 0 {
		n := len(b) - len(bytes.TrimLeft(b, string(b[:1])))
		s += fmt.Sprintf("%d%c", n, max(b[0], '0'))
		b = b[n:]
	}
	return s
}

func want(t *testing.T, what string, have map[string]bool, want ...string) {
	t.Helper()
	for _, w := range want {
		if !have[w] {
			t.Errorf("%s: %q never comes up", what, w)
		}
		delete(have, w)
	}
	for h := range have {
		t.Errorf("%s: %q comes up", what, h)
	}
}

// What the disk may do, and nothing else.
func TestDisk(t *testing.T) {
	r := recordOf(t, written...)
	if len(r.Acks) != 1 || r.Acks[0].Port != 50001 || r.Acks[0].ID != 7 || r.Lines != 11 {
		t.Errorf("acknowledgements %+v, %d lines", r.Acks, r.Lines)
	}
	end := r.Lines
	want(t, "before anything", states(r, 0, Sectors, Subset), "")
	want(t, "before the sync", states(r, 2, DataLost, Subset), "", "f: ")
	want(t, "before the sync, in sectors", states(r, 2, Sectors, NamesKept), "f: ", "f: 700a", "f: 512a1880", "f: 5120188a", "f: 7000")
	want(t, "a file that is synced without its name", states(r, 4, Sectors, Subset), "", "f: 700a")
	want(t, "all is synced", states(r, 5, Torn, Subset), "f: 700a")
	want(t, "a sync that began too early", states(r, end, DataLost, NamesKept), "g: 700a")
	want(t, "a rename without a sync", states(r, end, DataKept, Subset), "f: 700a9000b", "g: 700a9000b")
	want(t, "data=ordered", states(r, end, Ordered, NamesLost), "f: 700a", "f: 700a3396b", "f: 700a7492b", "f: 700a9000b")
	for s := range states(r, end, Pages, NamesLost) {
		if !strings.HasPrefix(s, "f: 700") {
			t.Errorf("in pages: %q has lost what was synced", s)
		}
	}
	if !states(r, end, Sectors, NamesLost)["f: 700a90000"] && !states(r, end, Pages, NamesLost)["f: 700a90000"] {
		t.Error("a size without its data never comes up")
	}
	if !states(r, end, Torn, NamesLost)["f: 700a324b"] {
		t.Error("an append torn at a sector never comes up")
	}
}

// Two files that are made at the same time have the numbers that they have, and not those in whose order the calls returned.
func TestFilesMadeAtOnce(t *testing.T) {
	made := func() *Record {
		return recordOf(t, `7 openat(AT_FDCWD</>, {/r/a}, O_RDWR|O_CREAT|O_CLOEXEC, 0640 <unfinished ...>`, `8 openat(AT_FDCWD</>, {/r/b}, O_RDWR|O_CREAT|O_CLOEXEC, 0640) = 4</r/b>`,
			`7 <... openat resumed>) = 3</r/a>`, `8 openat(AT_FDCWD</>, {/r/c}, O_RDWR|O_CREAT|O_CLOEXEC, 0640) = 5</r/c>`)
	}
	for is, want := range map[[3]uint64][3]uint64{
		{2, 3, 4}: {2, 3, 4},
		{3, 2, 4}: {3, 2, 4},
		{4, 2, 3}: {3, 2, 4}, // c was made after a: that is an error, which Differs finds
	} {
		r := made()
		r.settle(&Image{Nodes: map[string]Node{"a": {Inode: is[0]}, "b": {Inode: is[1]}, "c": {Inode: is[2]}}})
		im := r.After(Fate{Cut: r.Lines, Data: DataKept, Names: NamesKept})
		if have := [3]uint64{im.Nodes["a"].Inode, im.Nodes["b"].Inode, im.Nodes["c"].Inode}; have != want {
			t.Errorf("%v: have %v, want %v", is, have, want)
		}
	}
}

// What the model does not know is an error, not a state that is missing.
func TestWhatIsNotModelled(t *testing.T) {
	for _, line := range []string{
		`7 fallocate(3</r/f>, FALLOC_FL_PUNCH_HOLE, 0, 4096) = 0`, `7 pwritev(3</r/f>, [{iov_base={x}, iov_len=1}], 1, 0) = 1`, `7 linkat(AT_FDCWD</>, {/r/f}, AT_FDCWD</>, {/r/h}, 0) = 0`,
		`7 fcntl(3</r/f>, F_DUPFD_CLOEXEC, 0) = 5</r/f>`, `7 truncate({/r/f}, 0) = 0`,
	} {
		if _, err := Read("/r", nil, strings.NewReader(script(append(written[:3:3], line)...))); err == nil || !strings.Contains(err.Error(), "not in the model") {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := Read("/r", nil, strings.NewReader(script(written[:6]...))); err == nil || !strings.Contains(err.Error(), "never returned") {
		t.Errorf("a write that did not return: %v", err)
	}
}
