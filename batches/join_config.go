package batches

import (
	"edged/batches/decode"
	"edged/internal/conf"
	"edged/internal/topic"
)

// JoinOptions are a stream's keys that have to do with join.
type JoinOptions struct {
	Join       conf.Pairs        `toml:"join" doc:"one alias = name: each row is joined with rows of another receiver, whose fields are then alias.field. { d = \"devices\" }, a receiver of type table: with the row of the table; of another receiver, with within: with rows of about the same time (Spark: join of a stream with a static table, and of two streams)" json:"join"`
	On         conf.Pairs        `toml:"on" doc:"with join: what must be equal, field of the other side = expression over this side's row, { id = \"topic[1]\" }; all of several. Of two streams the field may be a level of the other side's topic, { \"topic[1]\" = \"topic[1]\" }. They are compared as they are written: 7 and \"7\" are the same. What is missing is equal to nothing" json:"on"`
	Within     conf.Duration     `toml:"within" doc:"with join, of two streams: how far apart the times of two rows may be. A pair has the time of its later row, and leaves when the watermark has passed that" json:"within"`
	Outer      bool              `toml:"outer" doc:"with join: rows of this side without a partner go on, too, with alias.field null. Otherwise they are filtered (a table), or give nothing (two streams)" json:"outer"`
	JoinDecode string            `toml:"join_decode" doc:"with join: the decoder of the other side; \"\" is csv for a table, and json with within. Of a decoder that finds one row in a payload, such as json, each line of a table is a payload" json:"join_decode"`
	JoinCSV    decode.CSVOptions `toml:"join_csv" doc:"with join, of a side that is csv" json:"join_csv"`
	JoinTopics []string          `toml:"join_topics" doc:"with within: topic filters of the other side's messages; [] is all. They are needed where one receiver is both sides" json:"join_topics"`
	JoinTime   string            `toml:"join_time" doc:"with within and a time field: the time field of the other side, in the same unit; \"\" is the one that time names" json:"join_time"`
}

func defaultJoinOptions() JoinOptions {
	o := JoinOptions{JoinCSV: decode.DefaultCSV()}
	o.JoinCSV.Header = true
	return o
}

// Joined is the receiver of the other side; "" without a join.
func (c *StreamConfig) Joined() string {
	if len(c.Join) == 0 {
		return ""
	}
	return c.Join[0].Value
}

// Sources are all receivers that the stream takes messages from.
func (c *StreamConfig) Sources() []string {
	if other := c.Joined(); other != "" {
		return append(c.From[:len(c.From):len(c.From)], other)
	}
	return c.From
}

// checkJoin looks at what Compile does not.
func (c *StreamConfig) checkJoin(t *conf.Table) {
	for _, f := range c.JoinTopics {
		if err := topic.CheckFilter(f); err != nil {
			t.Itemf("join_topics", "join_topics: %q: %v", f, err)
		}
	}
	t.Unique("join_topics", c.JoinTopics)
	if len(c.Join) > 0 {
		return
	}
	for _, key := range []string{"on", "within", "outer", "join_decode", "join_csv", "join_topics", "join_time"} {
		if t.Has(key) {
			t.Errorf(key, `%s is for a stream with join, such as join = { d = "devices" }; this one has none`, key)
		}
	}
}
