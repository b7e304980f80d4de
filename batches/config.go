package batches

import (
	"slices"
	"strings"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/internal/topic"
)

// Config is the [batch] table.
type Config struct {
	Interval conf.Duration `toml:"interval" doc:"how often each stream and each sink takes what has come (Spark: batch interval). What is much by then is taken earlier. Windows need not be multiples of it, and results do not depend on it"`
}

// Default returns the defaults.
func Default() *Config { return &Config{Interval: conf.Duration(time.Second)} }

// Load binds and checks the [batch] table; t is nil if the file has none.
func Load(t *conf.Table) *Config {
	c := Default()
	if t != nil {
		t.Bind(c)
		if !t.Bad("interval") && (c.Interval.D() < 10*time.Millisecond || c.Interval.D() > time.Hour) {
			t.Errorf("interval", "interval: it must be from 10ms to 1h")
		}
	}
	return c
}

// StreamConfig is one [stream.NAME] table.
type StreamConfig struct {
	Name    string     `json:"-"`
	From    []string   `toml:"from" doc:"receivers that the stream takes messages from, or streams whose rows it takes: a row is a message, its payload the JSON object that a file would have. A name that a receiver has is the receiver's" json:"from"`
	Topics  []string   `toml:"topics" doc:"topic filters of the messages it takes, MQTT wildcards allowed. A row of a stream has the topic of its message, one of a window the stream's name; a stream that takes from streams alone takes everything if it names none" json:"topics"`
	Decode  string     `toml:"decode" doc:"how payloads are read; see the decoders below" json:"decode"`
	Columns conf.Pairs `toml:"columns" doc:"the columns of the payload and their types; no others may then be named. Types: float, int, bool, text, time or any, and a unit may follow (\"float °C\"; the unit of a time that is a number: \"time ms\"). A value of another type is converted if that is certain, else it is null and counted" json:"columns"`
	DecodeOptions
	JoinOptions
	FlatMap         conf.Pairs    `toml:"flat_map" doc:"one name = expression that gives a list: each element is a row of its own, { word = \"split(value, ' ')\" } or { r = \"readings\" }, whose fields are r.x (Spark: flatMap)" json:"flat_map"`
	Time            string        `toml:"time" doc:"arrival, or the payload field that holds a reading's time (RFC 3339 text, or a number in time_unit)" json:"time"`
	TimeUnit        string        `toml:"time_unit" doc:"unit of a numeric time field: s, ms, us or ns since 1970" json:"time_unit"`
	AllowedLateness conf.Duration `toml:"allowed_lateness" doc:"with a time field: how long after a window's end its rows may still come; later ones are counted as late" json:"allowed_lateness"`
	Late            string        `toml:"late" doc:"with a time field, for tumbling, sliding and session windows: the sink that gets every row that came too late, as a row of the stream NAME.late: its time and topic, what it is grouped by, and the payload or what select makes of it. It is counted as late all the same. \"\" = counted alone" json:"-"`
	MaxFuture       conf.Duration `toml:"max_future" doc:"with a time field: a row dated further ahead of its arrival is dead-lettered, and never moves the watermark; not judged while the clock is not synchronised" json:"max_future"`
	Idle            conf.Duration `toml:"idle" doc:"with a time field: after this long without a row, windows close at the pace of arrival time; \"0s\" = never" json:"idle"`
	Where           string        `toml:"where" doc:"expression that a row must satisfy; a missing or non-numeric operand makes it false" json:"where"`
	Select          conf.Pairs    `toml:"select" doc:"computed columns, name = expression; without a window they stand in place of the payload" json:"select"`
	Changed         string        `toml:"changed" doc:"expression: only rows go on for which it gives another value than for the last row of the same key that did. The key is what group_by says, else the topic" json:"changed"`
	Deadband        string        `toml:"deadband" doc:"with changed, for numbers: by how much the value must have moved, in its unit (\"0.5\") or as a share of the last one (\"2%\")" json:"deadband"`
	Throttle        conf.Duration `toml:"throttle" doc:"of each key, one row at most in so long a time, by the stream's time: the first one goes on" json:"throttle"`
	Sample          int           `toml:"sample" doc:"of each key, one row in so many goes on: the first, and so on" json:"sample"`
	GroupBy         conf.Pairs    `toml:"group_by" doc:"what a window's rows are grouped by, name = expression; without a window, the key of changed, throttle, sample and lag(x)" json:"group_by"`
	Window          string        `toml:"window" doc:"\"tumbling 10s\", \"sliding 1m every 10s\"; of each group: \"session 5m\", rows less than 5m apart, \"count 100\", so many rows, \"running\", all since the stream began, with a result at the end of every block that changes it; \"batch\", what one step takes; or \"\" for every message on its own" json:"window"`
	EmitEvery       conf.Duration `toml:"emit_every" doc:"for tumbling, sliding, session and running: what is open and has changed gives a result so often, at multiples of this time, with revision = 1, 2, …; the final result has the next number" json:"emit_every"`
	Expire          conf.Duration `toml:"expire" doc:"for running: a group without a row for so long is forgotten, and begins anew with its next row" json:"expire"`
	Aggregate       conf.Pairs    `toml:"aggregate" doc:"what is computed of each group, name = function; see the aggregates below" json:"aggregate"`
	Having          string        `toml:"having" doc:"expression that a result must satisfy; it sees the results' columns, n > 3" json:"having"`
	Sinks           []string      `toml:"sinks" doc:"where the rows or results go; a stream that others take from needs none" json:"-"`
	Start           string        `toml:"start" doc:"where a new stream begins: oldest, the oldest block still kept, or now" json:"-"`
	MaxGroups       int           `toml:"max_groups" doc:"groups in one window at most (of a sliding window: in each step of it; sessions: that are open; count and running: that are held); rows of further ones are counted as dropped. A row whose group key, or whose text for first, last, mode, top_k or collect, is longer than 4 KiB is a dead letter" json:"max_groups"`
}

// DefaultStream returns the defaults.
func DefaultStream() *StreamConfig {
	return &StreamConfig{
		Decode: "json", Time: "arrival", TimeUnit: "ms", AllowedLateness: conf.Duration(5 * time.Second), MaxFuture: conf.Duration(time.Minute),
		Idle: conf.Duration(time.Minute), Start: "oldest", MaxGroups: 100000, DecodeOptions: defaultDecodeOptions(), JoinOptions: defaultJoinOptions(),
	}
}

// LoadStream binds and checks a [stream.NAME] table, and compiles it. The plan is nil if something is wrong. streams are the names of all streams, and taken
// says that one of them takes from this one.
func LoadStream(t *conf.Table, streams []string, taken bool) (*StreamConfig, *Plan) {
	c := DefaultStream()
	c.Name = t.Name()
	t.Bind(c)
	onlyStreams := len(c.From) > 0 && !slices.ContainsFunc(c.From, func(from string) bool { return !slices.Contains(streams, from) })
	ok := c.check(t, taken, onlyStreams)
	p, problems := Compile(c)
	if len(problems) == 0 {
		ok = c.checkLate(t, p) && ok
	}
	for _, pr := range problems {
		ok = false
		at := t
		if pr.Table != "" {
			at = t.Sub(pr.Table)
		}
		at.Errorf(pr.Key, "stream %s, %s: %v", c.Name, pr.where(), pr.Err)
	}
	if !ok {
		return c, nil
	}
	return c, p
}

// check looks at what Compile does not.
func (c *StreamConfig) check(t *conf.Table, taken, onlyStreams bool) bool {
	n := t.Mistakes()
	if err := conf.CheckName(c.Name); err != nil {
		t.Errorf("", "stream %q: %v", c.Name, err)
	}
	if c.Name == edged.DeadLetters {
		t.Errorf("", "stream %q: the name is the gateway's own; choose another", c.Name)
	}
	if len(c.From) == 0 {
		t.Errorf("from", "[%s] needs from, the receivers or streams that it takes messages from", t.Title())
	}
	if len(c.Topics) == 0 && !onlyStreams {
		t.Errorf("topics", `[%s] needs topics, for example topics = ["site/#"]`, t.Title())
	}
	for _, f := range c.Topics {
		if err := topic.CheckFilter(f); err != nil {
			t.Itemf("topics", "topics: %q: %v", f, err)
		}
	}
	if len(c.Sinks) == 0 && !taken {
		t.Errorf("sinks", "[%s] needs sinks, where its rows go", t.Title())
	}
	c.checkOptions(t)
	c.checkJoin(t)
	t.OneOf("start", c.Start, "oldest", "now")
	t.Unique("from", c.From)
	t.Unique("topics", c.Topics)
	t.Unique("sinks", c.Sinks)
	if c.MaxGroups < 1 {
		t.Errorf("max_groups", "max_groups: it must be at least 1")
	}
	if c.Time == "arrival" {
		for _, key := range []string{"time_unit", "allowed_lateness", "late", "max_future", "idle"} {
			if t.Has(key) {
				t.Errorf(key, `%s is for a stream with a time field; this one has time = "arrival", by which no row is late`, key)
			}
		}
	}
	return t.Mistakes() == n
}

func isReserved(name string) bool { return slices.Contains(edged.Reserved, strings.ToLower(name)) }
