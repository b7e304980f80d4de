package transport

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"edged/test/await"
)

func listen(t *testing.T, address string) (*Listener, error) {
	t.Helper()
	a, err := Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(a, Options{})
	if err == nil {
		t.Cleanup(func() { _ = l.Close() })
	}
	return l, err
}

// only expects that nothing but the socket is in its directory.
func only(t *testing.T, path string) fs.FileInfo {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(all) != 1 || all[0].Name() != filepath.Base(path) {
		t.Fatalf("%v, %v", all, err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestASocketHasItsModeAndOwner(t *testing.T) {
	for options, mode := range map[string]fs.FileMode{"": 0o660, "?mode=0600": 0o600, "?mode=0777": 0o777} {
		address := socketAddress(t)
		if _, err := listen(t, address+options); err != nil {
			t.Fatal(err)
		}
		if info := only(t, strings.TrimPrefix(address, "unix://")); info.Mode() != mode|fs.ModeSocket {
			t.Errorf("%s: %v", options, info.Mode())
		}
	}
	address := socketAddress(t)
	if _, err := listen(t, address+"?user=nobody-of-this-name"); err == nil || !strings.Contains(err.Error(), `no user "nobody-of-this-name"`) {
		t.Error(err)
	}
	if _, err := listen(t, address+"?group=nobody-of-this-name"); err == nil || !strings.Contains(err.Error(), `no group "nobody-of-this-name"`) {
		t.Error(err)
	}
	if os.Getuid() != 0 {
		if _, err := listen(t, address+"?user=root"); err == nil || !strings.Contains(err.Error(), "cannot give") {
			t.Error(err)
		}
		return
	}
	for options, want := range map[string][2]uint32{"?user=12345": {12345, uint32(os.Getgid())}, "?group=54321&user=root": {0, 54321}} {
		address := socketAddress(t)
		if _, err := listen(t, address+options); err != nil {
			t.Fatal(err)
		}
		s := only(t, strings.TrimPrefix(address, "unix://")).Sys().(*syscall.Stat_t)
		if have := [2]uint32{s.Uid, s.Gid}; have != want {
			t.Errorf("%s: %v", options, have)
		}
	}
}

// TestALeftoverIsReplaced: of a process that was killed.
func TestALeftoverIsReplaced(t *testing.T) {
	address := socketAddress(t)
	path := strings.TrimPrefix(address, "unix://")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	s := serve(t, address, Options{}, await.Patience)
	say(t, s.dial(t, nil), s.conn(t), "x")
	only(t, path)
}

func TestASecondInstanceIsRefused(t *testing.T) {
	address := socketAddress(t)
	s := serve(t, address, Options{}, await.Patience)
	if _, err := listen(t, address); err == nil || !strings.Contains(err.Error(), "in use by another program") {
		t.Errorf("%v", err)
	}
	s.conn(t) // the question whether somebody is there
	say(t, s.dial(t, nil), s.conn(t), "the first is still reached")
	only(t, s.Address().Path)
}

func TestSomethingElseAtThePathStays(t *testing.T) {
	address := socketAddress(t)
	path := strings.TrimPrefix(address, "unix://")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(t, address); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("%v", err)
	}
	if b, err := os.ReadFile(path); string(b) != "precious" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	only(t, path)
	link := "unix://" + filepath.Join(t.TempDir(), "link") // to nowhere: what it points to is not for us to make
	if err := os.Symlink("/nowhere", strings.TrimPrefix(link, "unix://")); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(t, link); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("%v", err)
	}
	if _, err := listen(t, address+"/nowhere/m.sock"); err == nil {
		t.Error("listened below a file")
	}
	if _, err := listen(t, "unix://"+filepath.Join(t.TempDir(), "no", "m.sock")); err == nil || !strings.Contains(err.Error(), "create it") {
		t.Errorf("%v", err)
	}
}

func TestCloseRemovesOnlyItsOwnSocket(t *testing.T) {
	address := socketAddress(t)
	path := strings.TrimPrefix(address, "unix://")
	l, err := listen(t, address)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("it is still there")
	}

	first, err := listen(t, address)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil { // somebody tidies up
		t.Fatal(err)
	}
	second := serve(t, address, Options{}, await.Patience)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	say(t, second.dial(t, nil), second.conn(t), "the second is still reached")
}

func TestAPortInUseIsSaid(t *testing.T) {
	l, err := listen(t, "tcp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listen(t, "ws://"+l.Addr().String()); err == nil || !strings.Contains(err.Error(), "choose another port") {
		t.Errorf("%v", err)
	}
	if _, err := listen(t, "tcp://192.0.2.1:1883"); err == nil || !strings.Contains(err.Error(), "not an address of this machine") {
		t.Errorf("%v", err)
	}
}
