package passwd

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"edged/test/need"

	"pgregory.net/rapid"
)

// made are the passwords of testdata/mosquitto.passwd.
var made = map[string]string{
	"old": "correct horse", "new": "correct horse", "pump house": "pässwörd:$7$#", "größe": " blanks ", "long": strings.Repeat("x", 300),
}

func parse(t testing.TB, text []byte) *File {
	t.Helper()
	f, problems := Parse(text)
	for _, p := range problems {
		t.Fatalf("line %d: %s", p.Line, p.Text)
	}
	return f
}

func checkMade(t *testing.T, text []byte) {
	t.Helper()
	f := parse(t, text)
	if f.Len() != len(made) {
		t.Errorf("%d users, want %d", f.Len(), len(made))
	}
	for user, password := range made {
		for given, want := range map[string]bool{password: true, password + "x": false, password[1:]: false, "": false} {
			if f.Check(user, given) != want {
				t.Errorf("%s with %q: %t", user, given, !want)
			}
		}
	}
}

func TestFilesOfMosquitto(t *testing.T) {
	text, err := os.ReadFile("testdata/mosquitto.passwd")
	if err != nil {
		t.Fatal(err)
	}
	checkMade(t, text)
	checkMade(t, bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")))
}

func TestFilesOfTheInstalledMosquitto(t *testing.T) {
	tool := need.Tool(t, "mosquitto_passwd")
	path := filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for user, password := range made {
		kind := "sha512-pbkdf2"
		if user == "old" {
			kind = "sha512"
		}
		if out, err := exec.Command(tool, "-H", kind, "-b", path, user, password).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	checkMade(t, text)
}

func TestMakeAndCheck(t *testing.T) {
	password := rapid.StringN(1, 40, 200)
	user := rapid.StringN(1, 20, 60).Filter(func(s string) bool { return CheckUser(s) == nil })
	rapid.Check(t, func(t *rapid.T) {
		u, p, other := user.Draw(t, "user"), password.Draw(t, "password"), password.Draw(t, "other")
		line, err := Make(u, p, rapid.IntRange(1, 300).Draw(t, "iterations"))
		if err != nil {
			t.Fatal(err)
		}
		f, problems := Parse([]byte(line))
		if len(problems) > 0 || !f.Check(u, p) || f.Check(u, other) != (p == other) || f.Check(u+"x", p) || f.Check(u, "") {
			t.Fatalf("%q: %v", line, problems)
		}
		if entry, ok := f.Entry(u); !ok || u+":"+entry != line {
			t.Fatalf("entry %q, line %q", entry, line)
		}
	})
	a, _ := Make("u", "p", 0)
	b, _ := Make("u", "p", 0)
	if a == b || !strings.HasPrefix(a, "u:$7$1000$") {
		t.Errorf("two lines of one password: %s, %s", a, b)
	}
}

func TestMakeRefuses(t *testing.T) {
	for _, c := range []struct {
		user, password string
		iterations     int
		want           string
	}{
		{"", "secret", 0, "is empty"}, {"a:b", "secret", 0, "colon"}, {"a\nb", "secret", 0, "control"}, {"a\u009bb", "secret", 0, "control"}, {"a\xff", "secret", 0, "UTF-8"},
		{"#a", "secret", 0, "comment"}, {" a", "secret", 0, "blank"}, {"a ", "secret", 0, "blank"}, {strings.Repeat("x", 65536), "secret", 0, "65535"},
		{"a", "", 0, "empty"}, {"a", strings.Repeat("secret", 11000), 0, "65535"}, {"a", "secret", -1, "iterations"}, {"a", "secret", 1_000_001, "iterations"},
	} {
		if line, err := Make(c.user, c.password, c.iterations); err == nil || line != "" || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("Make(%.20q, %.10q, %d): %.80v", c.user, c.password, c.iterations, err)
		}
	}
}

const aLine = "$7$101$Tirkl9cQ+voXxBs5$KxHMVYbH3JbtEZoaQuKc3rlq888KkIuI9Te0uCavKtBdb2RWEsvN9Y0flwdOL55iFq+Kj/GTI+1QpHT2EeDPgA=="

func TestProblems(t *testing.T) {
	part := func(i int, with string) string {
		f := strings.Split(aLine, "$")
		f[i] = with
		return strings.Join(f, "$")
	}
	for text, want := range map[string]string{
		"hushhush":                               "no colon",
		":" + aLine:                              "the user name is empty",
		"a\tb:" + aLine:                          "control characters",
		"a\xff:" + aLine:                         "not UTF-8",
		"a:":                                     "no password",
		"a:hushhush":                             "mosquitto_passwd -U",
		"a:$hushhush":                            "mosquitto_passwd -U",
		"a:$hush$hush$hush":                      "mosquitto_passwd -U",
		"a:" + part(2, "0"):                      "iterations",
		"a:" + part(2, "-5"):                     "iterations",
		"a:" + part(2, "1000001"):                "iterations",
		"a:" + part(2, "99999999999999999"):      "iterations",
		"a:" + part(3, ""):                       "salt",
		"a:" + part(3, "hush!"):                  "salt",
		"a:" + part(4, "aHVzaA=="):               "64 bytes",
		"a:" + aLine + "$hush":                   "too few or too many",
		"a:$6$hush":                              "too few or too many",
		"a:$argon2id$v=19$m=1$hush$hush":         "Argon2",
		strings.Repeat("x", 65536) + ":" + aLine: "65535",
	} {
		f, problems := Parse([]byte("# a comment\n\nfine:" + aLine + "\n" + text + "\n"))
		if len(problems) != 1 || problems[0].Line != 4 || !strings.Contains(problems[0].Text, want) || strings.Contains(problems[0].Text, "hush") {
			t.Errorf("%.80q: %.200v", text, problems)
		}
		if f.Len() != 1 || f.Check("a", "hushhush") || !f.Check("fine", "correct horse") {
			t.Errorf("%.80q: the file has %d users", text, f.Len())
		}
	}
}

func TestAUserWhoIsThereTwiceIsNotThere(t *testing.T) {
	f, problems := Parse([]byte("a:" + aLine + "\nb:" + aLine + "\na:" + aLine + "\na:" + aLine))
	if len(problems) != 2 || problems[0].Line != 3 || problems[1].Line != 4 || !strings.Contains(problems[0].Text, `user "a" is in line 1`) {
		t.Errorf("%v", problems)
	}
	if f.Check("a", "correct horse") || !f.Check("b", "correct horse") {
		t.Error("who is in?")
	}
}

// TestUnknownUsersCostTheSame measures: the shortest of some runs, so that what else the machine does is left out.
func TestUnknownUsersCostTheSame(t *testing.T) {
	var text []byte
	for user, iterations := range map[string]int{"a": 5_000, "b": 5_000, "c": 101} {
		line, err := Make(user, "secret", iterations)
		if err != nil {
			t.Fatal(err)
		}
		text = Set(text, user, line)
	}
	f := parse(t, text)
	cost := func(user string, best time.Duration) time.Duration {
		began := time.Now()
		f.Check(user, "wrong")
		return min(best, time.Since(began))
	}
	known, unknown := time.Hour, time.Hour
	for range 100 { // in turns; on a busy machine it takes a while until each had one that was not disturbed
		known, unknown = cost("a", known), cost("nobody", unknown)
		if unknown > known/2 && unknown < known*2 {
			break
		}
	}
	if unknown < known/2 || unknown > known*2 {
		t.Errorf("a known user costs %v, an unknown one %v", known, unknown)
	}
	for name, text := range map[string]string{"empty": "", "all old": "a:$6$" + strings.TrimPrefix(aLine, "$7$101$")} {
		f := parse(t, []byte(text))
		if want := map[string]int{"empty": DefaultIterations, "all old": 0}[name]; f.decoy.iterations != want {
			t.Errorf("%s: the decoy has %d iterations", name, f.decoy.iterations)
		}
		if f.Check("nobody", "secret") {
			t.Errorf("%s: nobody is in", name)
		}
	}
}

// mosquitto_passwd makes entries for empty passwords.
func TestAnEmptyPasswordNeverFits(t *testing.T) {
	f := parse(t, []byte("empty:$7$101$uo2jm5n0uygqk6eK$4KpDnLSc1QUYT4S8r7lIsYI/Vs22ByM+/ZiC8JRxkRqGXVYkKUiAhL4lMZDDWKkp9L1AXgF8AGGs0siX2E6bBg=="))
	if h := f.users["empty"]; !h.fits("") {
		t.Fatal("this is not the hash of an empty password")
	}
	if f.Check("empty", "") {
		t.Error("it lets in")
	}
}

func TestManyCheckAtOnce(t *testing.T) {
	f := parse(t, []byte("a:"+aLine))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 20 {
				if f.Check("a", "correct horse") != true || f.Check("b", "correct horse") || f.Check("a", "wrong") {
					t.Errorf("goroutine %d: wrong answer", i)
				}
			}
		})
	}
	all.Wait()
}
