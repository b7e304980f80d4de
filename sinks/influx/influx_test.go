package influx

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/sinks/sinktest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	for name, compress := range map[string]string{"plain": "none", "gzip": "gzip"} {
		t.Run(name, func(t *testing.T) {
			sinktest.Run(t, func(t *testing.T) sinktest.Harness {
				s := newServer(t)
				e, _ := env(t)
				c := Default()
				c.URL, c.Bucket, c.Compress = s.URL, "b", compress
				return sinktest.Harness{
					Guarantee: sinktest.Keyed,
					New:       func() edged.Sink { return c.New(e) },
					Encode: func(dst []byte, rows *edged.Rows) []byte {
						text, _ := body(t, c, rows)
						return append(dst, text...)
					},
					Arrived: s.arrivals, Refuse: s.refuse, Hang: s.hang,
				}
			})
		})
	}
}

// Each API has its path, its query, and its way to send a token.
func TestTheAPIs(t *testing.T) {
	for _, x := range []struct {
		api    string
		change func(c *Config)
		uri    string
		auth   string
	}{
		{"v2", func(c *Config) { c.Org, c.Bucket = "my org", "b&c" }, "/api/v2/write?bucket=b%26c&org=my+org&precision=us", "Token s3cret"},
		{"v2", func(c *Config) { c.Bucket = "b"; c.URL += "/influx/?x=1" }, "/influx/api/v2/write?bucket=b&precision=us&x=1", "Token s3cret"},
		{"v3", func(c *Config) { c.Database = "d" }, "/api/v3/write_lp?db=d&precision=microsecond", "Bearer s3cret"},
		{"v1", func(c *Config) { c.Database = "d" }, "/write?db=d&precision=u", "Token s3cret"},
		{"v1", func(c *Config) { c.Database = "d/week" }, "/write?db=d&precision=u&rp=week", "Token s3cret"},
	} {
		s := newServer(t)
		e, _ := env(t)
		if err := os.WriteFile(filepath.Join(e.DataDir, "token"), []byte("s3cret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c := Default()
		c.URL, c.API, c.Precision, c.TokenFile = s.URL, x.api, "us", "token"
		x.change(c)
		if _, _, err := open(t, c, e).Write(t.Context(), []edged.Delivery{one("k", reading(5000, edged.NumberValue(1))...)}); err != nil {
			t.Fatal(err)
		}
		r := s.request()
		if r.URL.RequestURI() != x.uri || r.Header.Get("Authorization") != x.auth || r.Method != "POST" || s.points[0].time != 5 {
			t.Errorf("%s %s, %s; want %s, %s", r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), x.uri, x.auth)
		}
	}
}

// What the answers mean, and what is said about them; never the token, nor what stands in the query.
func TestAnswers(t *testing.T) {
	for _, x := range []struct {
		code          int
		class         edged.Class
		cause, remedy string
	}{
		{400, edged.Poison, "400", ""},
		{422, edged.Poison, "422", ""},
		{413, edged.TooLarge, "413", ""},
		{401, edged.Permanent, "401", "check token_file: the token must be one that may write to the bucket"},
		{403, edged.Permanent, "403", "check token_file: the token must be one that may write to the bucket"},
		{404, edged.Permanent, "404", "check url, api, org, bucket"},
		{429, edged.Retryable, "429", "the server asks for fewer requests: a longer batch_age makes them"},
		{503, edged.Retryable, "503", "the fault is the server's: look there"},
	} {
		s := newServer(t)
		s.set(func(w http.ResponseWriter, _ *http.Request, _ []point) bool {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(x.code)
			return true
		})
		e, _ := env(t)
		if err := os.WriteFile(filepath.Join(e.DataDir, "token"), []byte("s3cret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c := Default()
		c.URL, c.Bucket, c.TokenFile = s.URL, "hidden", "token"
		done, _, err := open(t, c, e).Write(t.Context(), []edged.Delivery{one("k", reading(1, edged.NumberValue(1))...)})
		if done != 0 || err == nil || edged.ClassOf(err) != x.class {
			t.Fatalf("%d: %d, %v", x.code, done, err)
		}
		if cause, remedy := edged.Explanation(err); cause != x.cause || remedy != x.remedy {
			t.Errorf("%d: %s; %s", x.code, cause, remedy)
		}
		if x.class == edged.Retryable && edged.AfterOf(err) != 7*time.Second {
			t.Errorf("%d: tried again after %v", x.code, edged.AfterOf(err))
		}
		if text := err.Error(); strings.Contains(text, "s3cret") || strings.Contains(text, "hidden") {
			t.Error(text)
		}
	}
}

// Rows without a field are done, counted, and spoken of once; a delivery of nothing else makes no request.
func TestRowsWithoutAFieldAreCounted(t *testing.T) {
	s := newServer(t)
	e, log := env(t)
	c := Default()
	c.URL, c.Bucket = s.URL, "b"
	sink := open(t, c, e)
	null := edged.NullValue()
	done, _, err := sink.Write(t.Context(), []edged.Delivery{
		one("1", append(reading(1, null), reading(2, edged.NumberValue(1))...)...), one("2", reading(3, null)...), one("3", reading(4, null)...),
		{Key: "4", Rows: &edged.Rows{Stream: "pins"}},
	})
	if done != 4 || err != nil || len(s.arrivals()) != 1 || len(s.points) != 1 || s.points[0].time != 2 {
		t.Fatal(done, err, s.points)
	}
	var b bytes.Buffer
	e.Metrics.WritePrometheus(&b)
	if !strings.Contains(b.String(), `edged_sink_influx_rows_without_field_total{sink="tsdb"} 3`+"\n") || log.Count("no field") != 1 {
		t.Errorf("%s\n%s", &b, log)
	}
}

// Everything that changes what a row becomes changes the encoding, and nothing else does.
func TestEncoding(t *testing.T) {
	base := func() *Config { c := Default(); c.URL, c.Bucket = "http://a", "b"; return c }
	first := base().Encoding()
	for _, change := range []func(*Config){
		func(c *Config) { c.Precision = "s" }, func(c *Config) { c.Measurement = "m" }, func(c *Config) { c.Time = "window_end" },
		func(c *Config) { c.Tags = []string{"a"} }, func(c *Config) { c.keys = map[string][]string{"s": {"k"}} },
	} {
		c := base()
		if change(c); c.Encoding() == first {
			t.Errorf("%+v has the encoding of the default", c)
		}
	}
	c := base()
	c.URL, c.API, c.Database, c.Compress = "http://c", "v3", "d", "gzip"
	if c.Encoding() != first {
		t.Error("where rows go changed what they are")
	}
}
