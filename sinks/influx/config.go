package influx

import (
	"fmt"

	"edged"
	"edged/sinks/post"
	"edged/sinks/spec"
	"edged/sinks/template"
)

// Config is the [sink.NAME] table of a sink of type "influx". It implements spec.Config.
type Config struct {
	URL         string   `toml:"url" doc:"the server, such as http://127.0.0.1:8086; the API's path is put behind it"`
	API         string   `toml:"api" doc:"v2 (/api/v2/write, InfluxDB 2 and its clouds), v3 (/api/v3/write_lp, InfluxDB 3) or v1 (/write, InfluxDB 1, and many that take its writes)"`
	Org         string   `toml:"org" doc:"v2: organization, by name or id"`
	Bucket      string   `toml:"bucket" doc:"v2: bucket, by name or id"`
	Database    string   `toml:"database" doc:"v1 and v3: database; v1 also takes DATABASE/RETENTION_POLICY"`
	Precision   string   `toml:"precision" doc:"of the timestamps that are sent: ns, us, ms or s. Rows with the same tags and the same timestamp are one point"`
	Measurement string   `toml:"measurement" doc:"measurement of a row; {stream} is its stream, {NAME} the value of its column NAME"`
	Tags        []string `toml:"tags" doc:"columns that are tags; every other column is a field. Not written: the group_by columns of a stream with windows, and topic of one without. In a tag a line break becomes a space, and a backslash that would begin an escape becomes _"`
	Time        string   `toml:"time" doc:"timestamp of a window's row: window_start or window_end. The row of a stream without windows has its time"`
	post.Config

	keys map[string][]string // group_by columns of streams with windows, if Tags is not written
	own  bool                // Tags is written
}

var (
	_ spec.Config = (*Config)(nil)
	_ spec.Names  = (*Config)(nil)
)

// Default returns the defaults.
func Default() *Config {
	return &Config{API: "v2", Precision: "ns", Measurement: "{stream}", Time: "window_start", Config: post.Default()}
}

// units are the precisions, in nanoseconds.
var units = map[string]int64{"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}

// tagsOf are the tags of a stream's rows.
func (c *Config) tagsOf(stream string) []string {
	if c.own || c.Tags != nil {
		return c.Tags
	}
	if keys, windowed := c.keys[stream]; windowed {
		return keys
	}
	return []string{"topic"}
}

// template is the measurement's; that of a text which is none takes it as it is.
func (c *Config) template() *template.Template {
	t, err := template.Parse(c.Measurement)
	if err != nil {
		t, _ = template.Parse("{stream}")
	}
	return t
}

// Encoding is what becomes of a row.
func (c *Config) Encoding() string {
	tags := fmt.Sprintf("%q", c.Tags)
	if !c.own && c.Tags == nil {
		tags = fmt.Sprintf("%q", c.keys) // in the order of the streams' names
	}
	return fmt.Sprintf("influx/1 %q %s %s %s", c.Measurement, tags, c.Time, c.Precision)
}

// New makes the sink.
func (c *Config) New(env spec.Env) edged.Sink { return newSink(c, env) }
