package http

import (
	nethttp "net/http"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/sinks/http/body"
	"edged/sinks/sinktest"
)

func templated(url string) *Config {
	c := Default()
	c.URL = url
	c.Body = body.Config{Prefix: `{"stream":{{json .stream}},"rows":[`, Row: `[{{json .number}},{{json .text}},{{json .sometimes}}]`, Separator: ",", Suffix: "]}"}
	return c
}

// TestTemplateConformance: a delivery is one request under its key, with the bytes of its templates alone.
func TestTemplateConformance(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		s := newServer(t, nil)
		c := templated(s.URL)
		c.Compress = "gzip"
		e := env(t)
		return sinktest.Harness{
			Guarantee: sinktest.Keyed,
			New:       func() edged.Sink { return c.New(e) },
			Encode: func(dst []byte, rows *edged.Rows) []byte {
				p, err := c.Body.Compile()
				if err != nil {
					panic(err)
				}
				return p.Append(dst, rows)
			},
			Arrived: s.arrivals,
			Refuse:  s.refuse,
			Hang:    s.hang,
		}
	})
}

// TestTemplatesOfParts: a part of a split delivery has a whole body of its own.
func TestTemplatesOfParts(t *testing.T) {
	s := newServer(t, nil)
	c := templated(s.URL)
	c.MaxPacketSize = 60
	sink := open(t, c, env(t))
	rows := &edged.Rows{Stream: "s", Names: []string{"number", "text"}}
	for i := range 4 {
		rows.Cells = append(rows.Cells, edged.NumberValue(float64(i)), edged.TextValue("four\n"))
		rows.At = append(rows.At, edged.Pos{Off: uint32(i)})
	}
	done, _, err := sink.Write(t.Context(), []edged.Delivery{{Key: "all", Rows: rows}})
	if done != 0 || edged.ClassOf(err) != edged.TooLarge {
		t.Fatal(done, err)
	}
	if done, _, err := sink.Write(t.Context(), []edged.Delivery{{Key: "a", Rows: rows.Slice(0, 2)}, {Key: "b", Rows: rows.Slice(2, 4)}}); done != 2 || err != nil {
		t.Fatal(done, err)
	}
	var got []string
	for _, a := range s.arrivals() {
		got = append(got, string(a.Body))
	}
	want := []string{`{"stream":"s","rows":[[0,"four\n",null],[1,"four\n",null]]}`, `{"stream":"s","rows":[[2,"four\n",null],[3,"four\n",null]]}`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestContentType(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"application/x-ndjson":     func(*Config) {},
		"application/json":         func(c *Config) { c.Body.Row = "{{json .}}" },
		"text/plain; charset=utf8": func(c *Config) { c.ContentType = "text/plain; charset=utf8" },
		"application/vnd.x+json":   func(c *Config) { c.Body.Row, c.ContentType = "{{json .}}", "application/vnd.x+json" },
	} {
		got := ""
		s := newServer(t, func(_ nethttp.ResponseWriter, r *nethttp.Request) bool {
			got = r.Header.Get("Content-Type")
			return true
		})
		c := Default()
		c.URL = s.URL
		change(c)
		if _, _, err := open(t, c, env(t)).Write(t.Context(), []edged.Delivery{row("k", "a")}); err != nil || got != want {
			t.Errorf("got %q, want %q (%v)", got, want, err)
		}
	}
}

func TestCheckBody(t *testing.T) {
	const url = `url = "https://example.org/ingest"` + "\n"
	for text, want := range map[string]string{
		url + `body = { row = "{{json .}}", separator = "\n" }`:    "",
		url + `content_type = "text/plain; charset=utf-8"`:         "",
		url + `content_type = "json"`:                              `content_type: want a type such as "application/json", have "json"`,
		url + `content_type = "a/b\r\nX: y"`:                       `content_type: want a type such as "application/json", have "a/b\r\nX: y"`,
		url + `body = { row = "{{json .x" }`:                       "body.row: line 1: unclosed action",
		url + `body = { row = "{{range .}}{{end}}" }`:              "body.row: range is not known here: a template is for one row, and has values, functions and if",
		url + `body = { prefix = "[" }`:                            "[sink.a.body] needs row: the template of a row, such as row = '[{{unix_ms .time}},{{json .value}}]'",
		url + `body = "{{json .x}}"`:                               "body is a table: write [sink.a.body]",
		url + "format = \"json\"\nbody = { row = \"{{json .}}\" }": "note: format has no effect: body says what is sent",
		url + `body = { row = "{{.}}", rwo = "x" }`:                `unknown key "rwo" in [sink.a.body]; did you mean "row"?`,
	} {
		mistakes, notes := checked(t, t.TempDir(), text)
		for _, n := range notes {
			mistakes = append(mistakes, "note: "+n)
		}
		if got := strings.Join(mistakes, "\n"); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestEncodingIsThatOfTheTemplates(t *testing.T) {
	a, b := templated("http://a"), templated("http://a")
	b.ContentType, b.Compress, b.Format = "text/plain", "gzip", "json"
	if a.Encoding() != b.Encoding() {
		t.Error("what is not in the body changed the encoding")
	}
	if b.Body.Suffix += " "; a.Encoding() == b.Encoding() {
		t.Error("other templates have the same encoding")
	}
	b.Body = body.Default()
	if b.Format = "ndjson"; b.Encoding() != Default().Encoding() {
		t.Error("without templates it is the format's")
	}
	// they cannot fail in a sink that was checked; in one that was not, it holds
	b.Body.Row = "{{"
	if err := b.New(env(t)).Open(t.Context(), nil, nil); edged.ClassOf(err) != edged.Permanent {
		t.Error(err)
	}
}
