package batches

import (
	"fmt"

	"edged/batches/aggregate"
	"edged/batches/decode"
	"edged/internal/kinds"
)

// Decoders lists the values of decode.
var Decoders = kinds.List[decode.Kind]{
	{Name: "json", Doc: "fields of a JSON object; a bare number, string or boolean is the column value", New: always(decode.JSON)},
	{Name: "number", Doc: "one decimal number, the column value", New: always(decode.Number)},
	{Name: "text", Doc: "UTF-8 text, the column value", New: always(decode.Text)},
	{Name: "lines", Doc: "UTF-8 text: each line that is not empty is a row, and the column value", New: always(decode.Lines)},
	{Name: "csv", Doc: "rows of fields (RFC 4180), numbers and booleans recognised; names from csv.columns or the first line", New: always(decode.CSV)},
	{Name: "kv", Doc: "lines of key=value pairs between blanks, commas or semicolons; numbers and booleans recognised", New: always(decode.KV)},
	{Name: "influx", Doc: "InfluxDB line protocol: the columns measurement, timestamp, and each tag and field by its name", New: always(decode.Influx)},
	{Name: "senml", Doc: "SenML in JSON (RFC 8428), resolved: each record is a row with name, value, unit, payload.time, sum, update", New: always(decode.SenML)},
	{Name: "senml_cbor", Doc: "SenML in CBOR, likewise", New: always(decode.SenMLCBOR)},
	{Name: "cbor", Doc: "fields of a CBOR map (RFC 8949), as with json; byte strings are bytes", New: always(decode.CBOR)},
	{Name: "msgpack", Doc: "fields of a MessagePack map, as with json; bin is bytes", New: always(decode.MsgPack)},
	{Name: "raw", Doc: "any bytes, written in base64; no columns", New: always(decode.Raw)},
}

// Aggregates lists the functions of aggregate.
var Aggregates = append(kinds.List[aggregate.Kind]{
	{Name: "count", Doc: "count()", New: always(aggregate.Count)},
	{Name: "sum", Doc: "sum(x)", New: always(aggregate.Sum)},
	{Name: "min", Doc: "min(x)", New: always(aggregate.Min)},
	{Name: "max", Doc: "max(x)", New: always(aggregate.Max)},
	{Name: "avg", Doc: "avg(x)", New: always(aggregate.Avg)},
	{Name: "first", Doc: "first(x)", New: always(aggregate.First)},
	{Name: "last", Doc: "last(x)", New: always(aggregate.Last)},
	{Name: "stddev", Doc: "stddev(x)", New: always(aggregate.Stddev)},
	{Name: "distinct", Doc: "distinct(x)", New: always(aggregate.Distinct)},
	{Name: "rate", Doc: "rate(x)", New: always(aggregate.Rate)},
	{Name: "twa", Doc: "twa(x)", New: always(aggregate.TWA)},
	{Name: "variance", Doc: "variance(x)", New: always(aggregate.Variance)},
	{Name: "median", Doc: "median(x)", New: always(aggregate.Median)},
	{Name: "quantile", Doc: "quantile(x, q)", New: always(aggregate.QuantileOf)},
	{Name: "increase", Doc: "increase(x)", New: always(aggregate.Increase)},
	{Name: "delta", Doc: "delta(x)", New: always(aggregate.Delta)},
	{Name: "integral", Doc: "integral(x)", New: always(aggregate.Integral)},
	{Name: "mode", Doc: "mode(x)", New: always(aggregate.Mode)},
	{Name: "top_k", Doc: "top_k(x, k)", New: always(aggregate.TopK)},
	{Name: "histogram", Doc: "histogram(x, b0, b1, …)", New: always(aggregate.Histogram)},
	{Name: "collect", Doc: "collect(x, n)", New: always(aggregate.Collect)},
	{Name: "edges", Doc: "edges(x)", New: always(aggregate.Edges)},
	{Name: "pulses", Doc: "pulses(x)", New: always(aggregate.Pulses)},
	{Name: "duty", Doc: "duty(x)", New: always(aggregate.Duty)},
	{Name: "time_in_state", Doc: "time_in_state(x, state)", New: always(aggregate.TimeInState)},
}, quantiles()...)

// quantiles lists p50 to p99.
func quantiles() (l kinds.List[aggregate.Kind]) {
	for p := 50; p <= 99; p++ {
		l = append(l, kinds.Kind[aggregate.Kind]{Name: fmt.Sprintf("p%d", p), Doc: fmt.Sprintf("p%d(x)", p), New: always(aggregate.Quantile(p))})
	}
	return l
}

func always[T any](v T) func() T { return func() T { return v } }
