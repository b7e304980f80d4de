package power

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// calls are the system calls that may change a file or answer a client. Those that the model does not know are an error when they are
// used on a recorded file, so that a change of the program cannot go unnoticed.
const calls = "openat,openat2,open,creat,close,dup,dup2,dup3,fcntl,lseek,write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendfile,splice,copy_file_range," +
	"truncate,ftruncate,fallocate,fsync,fdatasync,sync,syncfs,msync,sync_file_range,rename,renameat,renameat2,link,linkat,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir"

// Strace is the command that writes a record of the command behind it to a file. It must end by itself: when strace is killed
// the end of the record is missing.
func Strace(strace, to string) []string {
	return []string{strace, "-f", "--seccomp-bpf", "-qq", "-yy", "-xx", "-s", "100000000", "-e", "signal=none", "-e", "trace=" + calls, "-o", to}
}

// call is a system call. Its begin and end are line numbers of the record: what has ended on a line before another's first has
// happened before it.
type call struct {
	begin, end int
	name       string
	args       []string
	ret        string // "" if it never returned
}

// ok reports whether the call returned and did not fail.
func (c *call) ok() bool { return c.ret != "" && c.ret != "?" && !strings.HasPrefix(c.ret, "-") }

// number is what the call returned.
func (c *call) number() int { return leading(c.ret) }

// leading is the number at the beginning of a text such as 7</tmp/f>.
func leading(s string) int {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	n, err := strconv.Atoi(s[:i])
	if err != nil {
		return -1
	}
	return n
}

// readStrace tells begin and end of every call in the order of the record. Both are told of a call in one line. Lines are counted on
// from first.
func readStrace(r io.Reader, first int, begin, end func(*call) error) (lines int, err error) {
	in := bufio.NewReaderSize(r, 1<<20)
	open := map[string]*call{} // by thread
	for lines = first; ; lines++ {
		line, err := in.ReadString('\n')
		if err == io.EOF && line == "" {
			return lines, nil
		}
		if err != nil {
			return lines, fmt.Errorf("line %d of the record is not whole: %w", lines+1, err)
		}
		thread, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		text = strings.TrimLeft(text, " ")
		if strings.HasSuffix(text, "<detached ...>") { // a thread that ended before it did anything; that nothing is missing is checked at the end
			continue
		}
		if strings.HasPrefix(text, "+++") || strings.HasPrefix(text, "---") || strings.HasPrefix(text, "strace:") {
			continue
		}
		c := open[thread]
		if rest, ok := strings.CutPrefix(text, "<... "); ok {
			if c == nil {
				return lines, fmt.Errorf("line %d ends a call that never began: %.100s", lines+1, text)
			}
			_, c.ret, _ = cutLast(rest, " = ")
			c.end = lines
			delete(open, thread)
			if err := end(c); err != nil {
				return lines, fmt.Errorf("line %d: %w", lines+1, err)
			}
			continue
		}
		name, rest, ok := strings.Cut(text, "(")
		if !ok {
			return lines, fmt.Errorf("line %d is not understood: %.100s", lines+1, text)
		}
		c = &call{begin: lines, end: never, name: name}
		args, unfinished := strings.CutSuffix(rest, " <unfinished ...>")
		if unfinished {
			open[thread] = c
		} else {
			if args, c.ret, ok = cutLast(rest, " = "); !ok {
				return lines, fmt.Errorf("line %d has no result: %.100s", lines+1, text)
			}
			args = strings.TrimSuffix(strings.TrimRight(args, " "), ")")
			c.end = lines
		}
		c.args = strings.Split(strings.TrimSuffix(args, ", "), ", ") // no text has a comma: all are in hexadecimal
		err = begin(c)
		if err == nil && !unfinished {
			err = end(c)
		}
		if err != nil {
			return lines, fmt.Errorf("line %d: %w", lines+1, err)
		}
	}
}

// never is the end of a call that did not return.
const never = int(^uint(0) >> 1)

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// unhex reads what strace -xx writes for a string: "\x41\x42".
func unhex(s string) ([]byte, error) {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' || (len(s)-2)%4 != 0 {
		return nil, fmt.Errorf("no whole string: %.60s", s)
	}
	s = s[1 : len(s)-1]
	b := make([]byte, len(s)/4)
	for i := range b {
		high, low := strings.IndexByte(digits, s[4*i+2]), strings.IndexByte(digits, s[4*i+3])
		if high < 0 || low < 0 {
			return nil, fmt.Errorf("no byte: %q", s[4*i:4*i+4])
		}
		b[i] = byte(high<<4 | low)
	}
	return b, nil
}

const digits = "0123456789abcdef"
