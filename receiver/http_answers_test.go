package receiver

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestAnswers(t *testing.T) {
	b := &book{auto: true}
	l := listen(t, b, func(c *HTTP) { c.MaxBody = 64 << 10; c.Topics = []string{"site/#", "lab/+"} })
	const js, nd, text = "application/json", "application/x-ndjson", "text/plain; charset=utf-8"
	for _, c := range []struct {
		name, path, kind, body string
		header                 []string
		status                 int
		want                   string // in the error, or the messages with | between
	}{
		{name: "one value", path: "/ingest/site/1", kind: js, body: "{\"v\": 1.50}\n", status: 204, want: `site/1 {"v": 1.50}`},
		{name: "a list", path: "/ingest/site/1", kind: js, body: ` [1, {"a":[2,3]}] `, status: 204, want: `site/1 1|site/1 {"a":[2,3]}`},
		{name: "lines of JSON", path: "/ingest/site/1", kind: nd, body: "{\"v\":1}\r\n\n{\"v\":2}", status: 204, want: `site/1 {"v":1}|site/1 {"v":2}`},
		{name: "lines", path: "/ingest/site/1", kind: text, body: "21.5\nx y\n", status: 204, want: `site/1 21.5|site/1 x y`},
		{name: "bytes", path: "/ingest/site/1", kind: "application/octet-stream", body: "\x00\n\x01", status: 204, want: "site/1 \x00\n\x01"},
		{name: "a SenML pack is one message", path: "/ingest/site/1", kind: "application/senml+json", body: `[{"n":"a"},{"n":"b"}]`, status: 204, want: `site/1 [{"n":"a"},{"n":"b"}]`},
		{name: "gzip", path: "/ingest/site/1", kind: text, body: zipped("1\n2\n"), header: []string{"Content-Encoding", "gzip"}, status: 204, want: "site/1 1|site/1 2"},
		{name: "the topic in the query", path: "/ingest?topic=lab/a%20b", kind: text, body: "1", status: 204, want: "lab/a b 1"},
		{name: "the topic escaped", path: "/ingest/site%2F1", kind: text, body: "1", status: 204, want: "site/1 1"},

		{name: "another path", path: "/ingested/site/1", kind: text, body: "1", status: 404, want: "/ingest/TOPIC"},
		{name: "no topic", path: "/ingest", kind: text, body: "1", status: 400, want: "no topic"},
		{name: "two topics", path: "/ingest/site/1?topic=site/2", kind: text, body: "1", status: 400, want: "once"},
		{name: "a wildcard", path: "/ingest/site/%2B", kind: text, body: "1", status: 400, want: "wildcards"},
		{name: "a topic that is not taken", path: "/ingest/lab/a/b", kind: text, body: "1", status: 400, want: "lab/a/b"},
		{name: "no body", path: "/ingest/site/1", kind: js, body: " ", status: 400, want: "no message"},
		{name: "an empty list", path: "/ingest/site/1", kind: js, body: "[]", status: 400, want: "no message"},
		{name: "no JSON", path: "/ingest/site/1", kind: js, body: `{"v":1`, status: 400, want: "not JSON"},
		{name: "two values", path: "/ingest/site/1", kind: js, body: `1 2`, status: 400, want: "not JSON"},
		{name: "a line that is no JSON", path: "/ingest/site/1", kind: nd, body: "1\n\nx\n", status: 400, want: "line 3"},
		{name: "no gzip", path: "/ingest/site/1", kind: text, body: "1", header: []string{"Content-Encoding", "gzip"}, status: 400, want: "cannot be read"},
		{name: "half of a gzip", path: "/ingest/site/1", kind: text, body: zipped("12345")[:20], header: []string{"Content-Encoding", "gzip"}, status: 400, want: "cannot be read"},
		{name: "too large", path: "/ingest/site/1", kind: text, body: strings.Repeat("x", 64<<10+1), status: 413, want: "max_body"},
		{name: "too large unpacked", path: "/ingest/site/1", kind: text, body: zipped(strings.Repeat("x", 10<<20)), header: []string{"Content-Encoding", "gzip"}, status: 413, want: "max_body"},
		{name: "too many", path: "/ingest/site/1", kind: text, body: strings.Repeat("1\n", maxMessages+1), status: 413, want: "messages"},
		{name: "too many in a list", path: "/ingest/site/1", kind: js, body: "[1" + strings.Repeat(",1", maxMessages) + "]", status: 413, want: "messages"},
		{name: "no type", path: "/ingest/site/1", body: "1", status: 415, want: "application/json"},
		{name: "a form", path: "/ingest/site/1", kind: "application/x-www-form-urlencoded", body: "v=1", status: 415, want: "application/json"},
		{name: "another encoding", path: "/ingest/site/1", kind: text, body: "1", header: []string{"Content-Encoding", "br"}, status: 415, want: "gzip"},
		{name: "a long key", path: "/ingest/site/1", kind: text, body: "1", header: []string{"Idempotency-Key", strings.Repeat("k", 256)}, status: 400, want: "Idempotency-Key"},
		{name: "a page in a browser", path: "/ingest/site/1", kind: text, body: "1", header: []string{"Sec-Fetch-Site", "cross-site"}, status: 403, want: "browser"},
		{name: "a page in an old browser", path: "/ingest/site/1", kind: text, body: "1", header: []string{"Origin", "http://example.com"}, status: 403, want: "browser"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(b.list())
			a := l.post(c.path, c.kind, c.body, c.header...)
			took := b.list()[before:]
			switch {
			case a.err != nil || a.status != c.status:
				t.Errorf("%+v", a)
			case c.status != 204 && (len(took) > 0 || !strings.HasPrefix(a.text, `{"error":"`) || !strings.Contains(a.text, c.want)):
				t.Errorf("%s; took %q", a.text, took)
			case c.status == 204 && !slices.Equal(took, strings.Split(c.want, "|")):
				t.Errorf("took %q", took)
			}
		})
	}
	if a := l.send("PUT", "/ingest/site/1", text, strings.NewReader("1")); a.status != 405 || a.header.Get("Allow") != "POST" {
		t.Errorf("%+v", a)
	}
	endless := io.MultiReader(strings.NewReader(strings.Repeat("x", 64<<10)), strings.NewReader("y")) // without Content-Length
	if a := l.send("POST", "/ingest/site/1", text, endless); a.status != 413 {
		t.Errorf("%+v", a)
	}
}
