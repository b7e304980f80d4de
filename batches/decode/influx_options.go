package decode

import (
	"fmt"
	"time"
)

// InfluxOptions is the table influx of a stream.
type InfluxOptions struct {
	Precision string `toml:"precision" json:"precision" doc:"unit of the timestamps, since 1970: s, ms, us or ns"`
}

// DefaultInflux returns the defaults.
func DefaultInflux() InfluxOptions { return InfluxOptions{Precision: "ns"} }

// influxUnit is a precision in nanoseconds, 0 if there is none of that name.
func influxUnit(precision string) int64 {
	switch precision {
	case "s":
		return int64(time.Second)
	case "ms":
		return int64(time.Millisecond)
	case "us":
		return int64(time.Microsecond)
	case "ns":
		return 1
	}
	return 0
}

// Kind implements Options.
func (o *InfluxOptions) Kind() (Kind, []Problem) {
	if influxUnit(o.Precision) == 0 {
		return Influx, []Problem{{"precision", fmt.Errorf("want s, ms, us or ns, have %q", o.Precision)}}
	}
	return influxKind(*o), nil
}
