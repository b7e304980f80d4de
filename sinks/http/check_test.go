package http

import (
	"path/filepath"
	"strings"
	"testing"

	"edged/internal/conf"
)

// checked binds and checks a [sink.a] table, and returns mistakes and notes without their line.
func checked(t *testing.T, dir, text string) (mistakes, notes []string) {
	t.Helper()
	e := env(t)
	e.DataDir = dir
	d := conf.Parse("f", []byte("[sink.a]\n"+text))
	table := d.Root().Sub("sink").Sub("a")
	c := Default()
	table.Bind(c)
	c.Check(table, e)
	for _, p := range d.Problems() {
		mistakes = append(mistakes, strings.ReplaceAll(p.Msg, dir, "DIR"))
	}
	for _, p := range d.Notes() {
		notes = append(notes, p.Msg)
	}
	return mistakes, notes
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), "s3cret")
	write(t, filepath.Join(dir, "empty"), "\n")
	write(t, filepath.Join(dir, "lines"), "a\nb")
	write(t, filepath.Join(dir, "large"), strings.Repeat("x", 16<<10+1))
	const url = `url = "https://example.org/ingest"` + "\n"
	for text, want := range map[string]string{
		url: "",
		url + `headers = { "X-Api-Key" = "x", Authorization = "Basic x" }`: "",
		url + `token_file = "token"`:                                       "",
		`url = "http://localhost:9000/in"`:                                 "",
		``:                                                                 "[sink.a] needs url: where to post",
		`url = "example.org/in"`:                                           `url: want http:// or https://, have "example.org/in"`,
		`url = "ftp://example.org"`:                                        `url: want http:// or https://, have "ftp://example.org"`,
		`url = "http:///in"`:                                               `url: "http:///in" names no host`,
		`url = "http://u:p@example.org"`:                                   "url: no user or password here; use basic = { username, password_file }",
		`url = "http://exa mple.org"`:                                      `url: this is no URL: invalid character " " in host name`,
		url + `format = "jsn"`:                                             `format: want "ndjson" or "json", have "jsn"; did you mean "json"?`,
		url + `compress = "zstd"`:                                          `compress: want "none" or "gzip", have "zstd"`,
		url + `batch_rows = 0`:                                             "batch_rows: want 1 or more",
		url + `batch_bytes = ""`:                                           "batch_bytes: want a size above 0",
		url + `batch_age = "-1s"`:                                          "batch_age: want 0 or more",
		url + `max_packet_size = 0`:                                        "max_packet_size: want a size above 0",
		url + `timeout = ""`:                                               "timeout: want a duration above 0; a request without one could hang for ever",
		url + `headers = { "a b" = "x" }`:                                  `headers: "a b" is no name of a header`,
		url + `headers = { a = "x\ny" }`:                                   `headers: the value of a has characters that no header may have`,
		url + `headers = { idempotency-key = "x" }`:                        "headers: idempotency-key is set by edged",
		url + `headers = { Content-Type = "x" }`:                           "headers: Content-Type is set by edged",
		url + "token_file = \"token\"\nheaders = { authorization = \"x\" }":                     "headers: Authorization comes from token_file or basic already",
		url + `token_file = "nosuch"`:                                                           "token_file: there is no file nosuch in DIR or /etc/edged/secrets, or this user cannot look there",
		url + `token_file = "empty"`:                                                            "token_file: DIR/empty is empty",
		url + `token_file = "lines"`:                                                            "token_file: DIR/lines has line breaks or control characters within the secret",
		url + `token_file = "large"`:                                                            "token_file: DIR/large has more than 16384 bytes: this is no token or password",
		url + `basic = { username = "u" }`:                                                      "basic: want both username and password_file",
		url + `basic = { username = "u:v", password_file = "token" }`:                           "basic: a username has no colon (RFC 7617)",
		url + `basic = { username = "u", password_file = "nosuch" }`:                            "basic.password_file: there is no file nosuch in DIR or /etc/edged/secrets, or this user cannot look there",
		url + "token_file = \"token\"\nbasic = { username = \"u\", password_file = \"token\" }": "basic: either token_file or basic, not both",
		url + `tls = { cert = "token" }`:                                                        "tls: cert and key belong together",
		url + `tls = { ca = "token" }`:                                                          "tls: DIR/token has no certificate in PEM",
		url + `tls = { ca = "nosuch" }`:                                                         "tls: cannot read DIR/nosuch: no such file or directory",
		url + `tls = { cert = "token", key = "token" }`:                                         "tls: cannot use DIR/token with DIR/token: tls: failed to find any PEM data in certificate input",
	} {
		mistakes, notes := checked(t, dir, text)
		if got := strings.Join(mistakes, "\n"); got != want || len(notes) > 0 {
			t.Errorf("%s\ngot  %s %q\nwant %s", text, got, notes, want)
		}
	}
}

func TestCheckNotes(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), "s3cret")
	for text, want := range map[string]string{
		"url = \"http://127.0.0.1:9000\"\ntoken_file = \"token\"":           "",
		"url = \"http://[::1]:9000\"\ntoken_file = \"token\"":               "",
		"url = \"https://example.org\"\ntoken_file = \"token\"":             "",
		"url = \"http://example.org:9000\"\ntoken_file = \"token\"":         "token_file is sent over plain http to example.org:9000: anybody on the way can read it; use https",
		"url = \"http://example.org\"\nheaders = { Authorization = \"x\" }": "headers is sent over plain http to example.org: anybody on the way can read it; use https",
		"url = \"http://localhost\"\ntls = { ca = \"ca.pem\" }":             "tls has no effect: url begins with http://",
	} {
		write(t, filepath.Join(dir, "ca.pem"), string(caPEM(t)))
		mistakes, notes := checked(t, dir, text)
		if got := strings.Join(notes, "\n"); got != want || len(mistakes) > 0 {
			t.Errorf("%s\ngot  %s %q\nwant %s", text, got, mistakes, want)
		}
	}
}

func TestLimitsAndEncoding(t *testing.T) {
	c := Default()
	if l := c.Limits(); l.Rows != 1000 || l.Bytes != 1<<20 || l.Age.Seconds() != 1 {
		t.Errorf("%+v", l)
	}
	c.MaxPacketSize = 1000
	if l := c.Limits(); l.Bytes != 1000 {
		t.Errorf("%+v: a delivery would be made that is known to be too large", l)
	}
	plain := c.Encoding()
	if c.Compress = "gzip"; c.Encoding() != plain {
		t.Error("compression changed the encoding")
	}
	if c.Format = "json"; c.Encoding() == plain {
		t.Error("json and ndjson have the same encoding")
	}
}
