package http

import (
	"fmt"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"edged"
)

func TestAnswers(t *testing.T) {
	classes := map[edged.Class][]int{
		edged.Poison:    {400, 422},
		edged.TooLarge:  {413},
		edged.Retryable: {408, 425, 429, 500, 501, 502, 503, 504, 507, 599},
		edged.Permanent: {300, 301, 302, 303, 304, 307, 308, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 415, 418, 431, 451, 499},
	}
	code := 0
	s := newServer(t, func(w nethttp.ResponseWriter, r *nethttp.Request) bool {
		if code >= 300 && code < 400 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(code)
		return true
	})
	c := Default()
	c.URL = s.URL + "/ingest"
	sink := open(t, c, env(t))
	for class, codes := range classes {
		for _, code = range codes {
			done, receipt, err := sink.Write(t.Context(), []edged.Delivery{row("k", "a")})
			if done != 0 || receipt != nil || err == nil || edged.ClassOf(err) != class {
				t.Errorf("%d: %v, %v, want class %v", code, done, err, class)
				continue
			}
			wait := time.Duration(0)
			if class == edged.Retryable {
				wait = 7 * time.Second
			}
			if got := edged.AfterOf(err); got != wait {
				t.Errorf("%d: tried again after %v, want %v", code, got, wait)
			}
			if code < 400 && !strings.HasSuffix(err.Error(), "set url to where it points: /elsewhere") {
				t.Errorf("%d: %v", code, err)
			}
		}
	}
	for _, code = range []int{200, 201, 202, 204, 299} {
		if done, _, err := sink.Write(t.Context(), []edged.Delivery{row("k", "a")}); done != 1 || err != nil {
			t.Errorf("%d: %v, %v", code, done, err)
		}
	}
	if len(s.conns) != 1 {
		t.Errorf("%d connections, want one that is kept", len(s.conns))
	}
}

func TestMessages(t *testing.T) {
	s := newServer(t, nil)
	c := Default()
	c.URL = s.URL + "/ingest?key=s3cret"
	sink := open(t, c, env(t))
	for text, want := range map[string]string{
		"":                         "",
		"who\r\n\tare you?\x1b[2J": " (who are you? [2J)",
		"\xff\xfe":                 "",
		strings.Repeat("ä", 9999):  " (" + strings.Repeat("ä", 100) + "…)",
	} {
		s.set(answerWith(401, text))
		_, _, err := sink.Write(t.Context(), []edged.Delivery{row("k", "a")})
		whole := "POST " + s.URL + "/ingest: the answer is 401 Unauthorized" + want + "; its rows wait in the store: set token_file or basic"
		if err == nil || err.Error() != whole {
			t.Errorf("got  %v\nwant %s", err, whole)
		}
	}
}

func answerWith(code int, text string) func(nethttp.ResponseWriter, *nethttp.Request) bool {
	return func(w nethttp.ResponseWriter, r *nethttp.Request) bool {
		w.WriteHeader(code)
		fmt.Fprint(w, text)
		return true
	}
}

// The explanation goes with the error from the answer to the writer, whatever its class.
func TestAnswersAreExplained(t *testing.T) {
	for code, want := range map[int]string{401: "set token_file or basic", 404: "check url", 503: "the fault is the server's: look there", 418: ""} {
		s := newServer(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) bool { w.WriteHeader(code); return true })
		c := Default()
		c.URL = s.URL
		_, _, err := open(t, c, env(t)).Write(t.Context(), []edged.Delivery{row("k", "a")})
		if cause, remedy := edged.Explanation(err); cause != fmt.Sprint(code) || remedy != want {
			t.Errorf("%d: %s; %s, want %s", code, cause, remedy, want)
		}
	}
}
