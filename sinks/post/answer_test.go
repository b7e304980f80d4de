package post

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"120":                            2 * time.Minute,
		"99999":                          time.Hour,
		"18446744073709551615":           time.Hour,
		"-5":                             0,
		"soon":                           0,
		"1.5":                            0,
		"Fri, 20 Nov 2026 10:00:30 GMT":  30 * time.Second,
		"Fri, 20 Nov 2026 09:00:00 GMT":  0,
		"Sat, 21 Nov 2026 10:00:00 GMT":  time.Hour,
		"Friday, 20-Nov-26 10:00:01 GMT": time.Second,
		"Fri Nov 20 10:00:02 2026":       2 * time.Second,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func FuzzExcerpt(f *testing.F) {
	f.Add([]byte("<html>\r\n"), "/x")
	f.Add(bytes.Repeat([]byte("\xe2\x80\xa8"), 100), "\x00")
	f.Fuzz(func(t *testing.T, body []byte, location string) {
		for _, s := range []string{excerpt(bytes.NewReader(body)), printable(location)} {
			if !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n\x1b\x00") || len(s) > excerptSize+10 {
				t.Fatalf("%q", s)
			}
		}
	})
}
