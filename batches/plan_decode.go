package batches

import (
	"errors"
	"fmt"
	"strings"

	"edged"
	"edged/batches/decode"
	"edged/internal/conf"
)

// DecodeOptions are the tables of the decoders that have options, each under its decoder's name.
type DecodeOptions struct {
	CSV    decode.CSVOptions    `toml:"csv" doc:"with decode = \"csv\"" json:"csv"`
	Influx decode.InfluxOptions `toml:"influx" doc:"with decode = \"influx\"" json:"influx"`
}

func defaultDecodeOptions() DecodeOptions {
	return DecodeOptions{CSV: decode.DefaultCSV(), Influx: decode.DefaultInflux()}
}

// tables lists them.
func (o *DecodeOptions) tables() map[string]decode.Options {
	return map[string]decode.Options{"csv": &o.CSV, "influx": &o.Influx}
}

// checkOptions reports options of a decoder that is not the stream's.
func (c *StreamConfig) checkOptions(t *conf.Table) {
	tables := c.tables()
	for _, k := range Decoders {
		if tables[k.Name] != nil && t.Has(k.Name) && c.Decode != k.Name {
			t.Errorf(k.Name, "%s is for decode = %q; this stream has decode = %q", k.Name, k.Name, c.Decode)
		}
	}
}

// decoder makes the plan's decoder, with its options and the declared columns.
func (b *builder) decoder(c *StreamConfig) bool {
	kind, ok := Decoders.Find(c.Decode)
	if !ok {
		b.fail("", "decode", fmt.Errorf("unknown decoder %q%s", c.Decode, conf.Suggest(c.Decode, Decoders.Names())))
		return false
	}
	k := kind.New()
	if o := c.tables()[c.Decode]; o != nil {
		var wrong []decode.Problem
		k, wrong = o.Kind()
		for _, p := range wrong {
			b.fail(c.Decode, p.Key, p.Err)
		}
	}
	b.p.format = c.Decode
	if len(c.Columns) > 0 {
		b.p.columns = b.declare(&k, c.Columns)
		b.p.decode = declared(k, b.p.columns)
	} else {
		b.p.decode = inferred(k)
	}
	return true
}

// declare reads the declared columns, and holds them against what the decoder can produce.
func (b *builder) declare(k *decode.Kind, pairs conf.Pairs) (out []Column) {
	for _, pr := range pairs {
		c, err := parseColumn(k, pr.Key, pr.Value)
		if err != nil {
			b.fail("columns", pr.Key, err)
		}
		out = append(out, c) // also a wrong one: who names it is not wrong
	}
	return out
}

// parseColumn reads a type, with the unit that may follow.
func parseColumn(k *decode.Kind, name, text string) (Column, error) {
	kind, unit, _ := strings.Cut(strings.TrimSpace(text), " ")
	c := Column{Name: name, Type: kind, Unit: strings.TrimSpace(unit)}
	path := []string{name}
	if k.Open == decode.Nested {
		path = strings.Split(name, ".")
	}
	if err := k.Check(path); err != nil {
		return c, err
	}
	names := make([]string, len(columnTypes))
	for i, t := range columnTypes {
		names[i] = t.name
	}
	from := k.TypeOf(path)
	switch to := c.kind(); {
	case to == nil:
		return c, fmt.Errorf("want %s, have %q%s", conf.Alternatives(names), kind, conf.Suggest(kind, names))
	case kind == "time" && c.Unit != "" && c.scale() == 0:
		return c, fmt.Errorf(`the unit of a time is s, ms, us or ns, as in "time ms", have %q`, c.Unit)
	case from == edged.Number && (kind == "text" || kind == "time" && c.Unit == ""),
		from == edged.Time && kind != "time" && kind != "any":
		return c, errors.New("the decoder never gives a value that can be one of type " + kind)
	}
	return c, nil
}
