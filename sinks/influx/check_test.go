package influx

import (
	"strings"
	"testing"

	"edged/internal/conf"
)

func TestCheck(t *testing.T) {
	const v2 = "url = \"http://127.0.0.1:8086\"\nbucket = \"b\"\norg = \"o\"\n"
	const v3 = "url = \"http://127.0.0.1:8181\"\napi = \"v3\"\n"
	for text, want := range map[string]string{
		v2:                                       "",
		v3 + `database = "d"`:                    "",
		v2 + `tags = []`:                         "",
		v2 + `measurement = "{stream}_{device}"`: "",
		`bucket = "b"`:                           "[sink.a] needs url: where to post\nnote: [sink.a] names no org: InfluxDB 2 wants one, other servers with this API may not",
		v3:                                       `[sink.a] needs database, where its rows are written (api = "v3")`,
		v3 + "database = \"d\"\nbucket = \"b\"":  `bucket: api = "v3" has no such thing; it wants database`,
		v2 + `database = "d"`:                    `database: api = "v2" has no such thing; it wants bucket`,
		v2 + `api = "2"`:                         `api: want "v1", "v2" or "v3", have "2"; did you mean "v2"?`,
		v2 + `precision = "n"`:                   `precision: want "ns", "us", "ms" or "s", have "n"; did you mean "ns"?`,
		v2 + `time = "time"`:                     `time: want "window_start" or "window_end", have "time"`,
		v2 + `measurement = ""`:                  `measurement: name the measurement, for example measurement = "{stream}"`,
		v2 + `measurement = "{"`:                 `measurement: "{": there is a { without a }`,
		v2 + `tags = ["a", "a"]`:                 `tags: "a" is there twice`,
		v2 + `tags = ["window_start", "stream"]`: "tags: window_start is no column that can be a tag\ntags: stream is no column that can be a tag",
		v2 + `timeout = ""`:                      "timeout: want a duration above 0; a request without one could hang for ever",
		"url = \"http://h/api/v2/write\"\nbucket = \"b\"\norg = \"o\"": `url: leave out the path of the API: it is put behind url by api = "v2"`,
	} {
		e, _ := env(t)
		d := conf.Parse("f", []byte("[sink.a]\n"+text))
		table := d.Root().Sub("sink").Sub("a")
		c := Default()
		table.Bind(c)
		c.Check(table, e)
		var said []string
		for _, p := range d.Problems() {
			said = append(said, p.Msg)
		}
		for _, p := range d.Notes() {
			said = append(said, "note: "+p.Msg)
		}
		if got := strings.Join(said, "\n"); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}
