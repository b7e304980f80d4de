package post

import (
	"fmt"
	"io"
	nethttp "net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"edged"
)

const (
	longestWait = time.Hour // of a Retry-After
	excerptSize = 200       // bytes of an answer that stand in an error
	drainSize   = 64 << 10  // bytes of an answer that are read so that the connection can be used again
)

// judge turns an answer into what is to be done:
//
//	2xx                       taken
//	413                       TooLarge: split, and smaller from now on
//	400, 422                  Poison: split down to single rows; those refused alone become dead letters
//	408, 425, 429, 5xx        retryable, not before Retry-After
//	3xx, every other 4xx      Permanent: a person must correct something; a mistyped URL must not empty the store
func (p *Poster) judge(resp *nethttp.Response) error {
	code := resp.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	location := ""
	if code >= 300 && code < 400 {
		location = resp.Header.Get("Location")
	}
	todo, held := p.remedy(code, location), ""
	if code < 500 && code != 429 && todo != "" {
		held = "; its rows wait in the store: " + todo
	}
	err := fmt.Errorf("POST %s: the answer is %d %s%s%s", p.where(), code, nethttp.StatusText(code), excerpt(resp.Body), held)
	err = edged.Explain(err, strconv.Itoa(code), todo)
	switch {
	case code == 413:
		return edged.WithClass(err, edged.TooLarge)
	case code == 400, code == 422:
		return edged.WithClass(err, edged.Poison)
	case code == 408, code == 425, code == 429, code >= 500 && code < 600:
		return edged.RetryAfter(err, retryAfter(resp.Header.Get("Retry-After"), time.Now()))
	}
	return edged.WithClass(err, edged.Permanent)
}

// host is the URL's host.
func (p *Poster) host() string {
	u, err := url.Parse(p.o.URL)
	if err != nil {
		return "?"
	}
	return u.Hostname()
}

// where is the URL without its query, in which some services want a secret.
func (p *Poster) where() string {
	u, err := url.Parse(p.o.URL)
	if err != nil {
		return "?"
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

// retryAfter reads Retry-After (RFC 9110, section 10.2.3): seconds or a date. What it cannot read is 0.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(longestWait/time.Second))) * time.Second
	}
	if at, err := nethttp.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), longestWait)
	}
	return 0
}

// excerpt is the beginning of an answer, for people.
func excerpt(r io.Reader) string {
	b := make([]byte, excerptSize)
	n, _ := io.ReadFull(r, b) // what came before an error is good enough
	text := printable(string(b[:n]))
	switch {
	case text == "":
		return ""
	case n == excerptSize:
		text += "…"
	}
	return fmt.Sprintf(" (%s)", text)
}

// printable makes one line of foreign text that no terminal or log reader takes for anything else.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s[:min(len(s), excerptSize)], ""))
	return strings.Join(strings.Fields(s), " ")
}

// finish reads what is left of an answer, within bounds, and closes it.
func finish(body io.ReadCloser) {
	io.CopyN(io.Discard, body, drainSize)
	body.Close()
}
