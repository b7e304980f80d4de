//go:build linux

// Command killat runs a program and kills it with SIGKILL at its k-th system call of some kinds, counted over all its threads:
//
//	killat -calls pwrite64,fdatasync -k 17 -under /var/lib/x -said FILE COMMAND ARGUMENT…
//
// The call is about to be made then (or, with -after, was just made). Calls on a descriptor count only if it leads to -under or below it; renames
// and unlinks always count. strace counts each thread for itself, which says little of a Go program. When it has killed, it writes "killed"
// and the call to -said, and exits with 137; otherwise it exits as the program did.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	calls := flag.String("calls", "pwrite64,write,fdatasync,fsync,ftruncate,renameat,renameat2", "system calls that count, by name")
	k := flag.Int("k", 1, "kill at this one of them")
	under := flag.String("under", "/", "descriptors that count lead below this directory, or to this file")
	after := flag.Bool("after", false, "kill when the call was made, not before")
	said := flag.String("said", "", "file to write the call to")
	flag.Parse()
	code, err := run(flag.Args(), &target{calls: numbers(*calls), k: *k, under: strings.TrimSuffix(*under, "/"), after: *after, said: *said})
	if err != nil {
		fmt.Fprintln(os.Stderr, "killat:", err)
		os.Exit(2)
	}
	os.Exit(code)
}

// names are the calls that can be counted. Those without a descriptor always count.
var names = map[string]struct {
	number uint64
	fd     bool
}{
	"write": {unix.SYS_WRITE, true}, "pwrite64": {unix.SYS_PWRITE64, true}, "fdatasync": {unix.SYS_FDATASYNC, true}, "fsync": {unix.SYS_FSYNC, true},
	"ftruncate": {unix.SYS_FTRUNCATE, true}, "fallocate": {unix.SYS_FALLOCATE, true}, "renameat": {unix.SYS_RENAMEAT, false},
	"renameat2": {unix.SYS_RENAMEAT2, false}, "unlinkat": {unix.SYS_UNLINKAT, false},
}

func numbers(list string) map[uint64]string {
	out := map[uint64]string{}
	for _, name := range strings.Split(list, ",") {
		c, ok := names[name]
		if !ok {
			fmt.Fprintf(os.Stderr, "killat: %q cannot be counted\n", name)
			os.Exit(2)
		}
		out[c.number] = name
	}
	return out
}

type target struct {
	calls map[uint64]string
	k     int
	under string
	after bool
	said  string

	pid  int
	seen int
	due  map[int]bool // threads in the call after which to kill
}

// run is the tracer: all of it happens on one thread of the system, which is the one that may trace.
func run(args []string, t *target) (int, error) {
	runtime.LockOSThread()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	t.pid, t.due = cmd.Process.Pid, map[int]bool{}
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(t.pid, &ws, 0, nil); err != nil {
		return 0, err
	}
	options := unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL
	if err := unix.PtraceSetOptions(t.pid, options); err != nil {
		return 0, fmt.Errorf("ptrace: %w", err)
	}
	if err := unix.PtraceSyscall(t.pid, 0); err != nil {
		return 0, err
	}
	for {
		tid, err := syscall.Wait4(-1, &ws, syscall.WALL, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, err
		case ws.Exited() && tid == t.pid:
			return ws.ExitStatus(), nil
		case ws.Signaled() && tid == t.pid:
			return 128 + int(ws.Signal()), nil
		case ws.Stopped():
			_ = unix.PtraceSyscall(tid, t.stopped(tid, ws)) // an error is a thread that has just died
		}
	}
}

// stopped looks at a thread that has stopped, and returns the signal that it is to get.
func (t *target) stopped(tid int, ws syscall.WaitStatus) (signal int) {
	switch sig := ws.StopSignal(); {
	case sig == syscall.SIGTRAP|0x80:
		t.call(tid)
		return 0
	case sig == syscall.SIGTRAP, sig == syscall.SIGSTOP: // a clone, and its new thread
		return 0
	default:
		return int(sig)
	}
}

// info is the head of struct ptrace_syscall_info (linux/ptrace.h), which is the same on every processor.
type info struct {
	op                     uint8
	_                      [3]uint8
	arch                   uint32
	instruction, stack     uint64
	number, fd, a1, a2, a3 uint64 // on entry
	a4, a5                 uint64
}

const (
	getSyscallInfo = 0x420e
	onEntry        = 1
	onExit         = 2
)

func (t *target) call(tid int) {
	var i info
	if _, _, errno := unix.Syscall6(unix.SYS_PTRACE, getSyscallInfo, uintptr(tid), unsafe.Sizeof(i), uintptr(unsafe.Pointer(&i)), 0, 0); errno != 0 {
		return
	}
	if i.op == onExit && t.due[tid] {
		t.kill("after the call")
		return
	}
	if i.op != onEntry {
		return
	}
	name, ok := t.calls[i.number]
	if !ok || names[name].fd && !t.counts(i.fd) {
		return
	}
	if t.seen++; t.seen != t.k {
		return
	}
	if t.after {
		t.due[tid] = true
		return
	}
	t.kill(name)
}

func (t *target) counts(fd uint64) bool {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", t.pid, fd))
	return err == nil && strings.HasPrefix(path+"/", t.under+"/")
}

func (t *target) kill(at string) {
	if t.said != "" {
		if err := os.WriteFile(t.said, []byte("killed "+at+"\n"), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "killat:", err)
		}
	}
	_ = syscall.Kill(t.pid, syscall.SIGKILL)
}
