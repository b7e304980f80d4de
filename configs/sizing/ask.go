package sizing

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"edged/internal/conf"
	"edged/internal/topic"
)

// Ask is what a configuration does not say. The zero value of a field is what is assumed, and said.
type Ask struct {
	Rates  []string      // "5/s", or "site/+/gpio/+=5/s"
	Topics int           // that the messages of one rate are spread over
	Bytes  int           // of a payload
	QoS    int           // of what is published; 0: nobody waits for an acknowledgement
	Pins   conf.Rate     // changes of a pin that reports edges
	Sync   time.Duration // that one commit takes on the disk
	TBW    float64       // TB that the card can take
	Free   int64         // bytes free on the disk of data_dir; negative: not known
}

// The most that may be asked for: a thousand times what was ever measured, so that no figure is too large to be written.
const (
	mostRate   = 1e9 // a second
	mostTopics = 1 << 30
)

// check refuses what cannot be.
func (a *Ask) check() error {
	switch {
	case a.Topics < 0 || a.Topics > mostTopics:
		return fmt.Errorf("--topics: %d cannot be", a.Topics)
	case a.Bytes < 0 || a.Bytes > 256<<20:
		return fmt.Errorf("--bytes: a payload of %d bytes cannot be: MQTT has 256 MiB at most", a.Bytes)
	case a.Sync < 0:
		return fmt.Errorf("--sync: %v cannot be", a.Sync)
	case !(a.TBW >= 0 && a.TBW <= 1e6):
		return fmt.Errorf("--card-tbw: %v TB cannot be", a.TBW)
	}
	return nil
}

// Flow is messages of one sort.
type Flow struct {
	Topic  string  `json:"topic"` // one of them, or what it looks like
	Topics int     `json:"topics"`
	Rate   float64 `json:"per_second"`
	Bytes  int     `json:"bytes"` // of a payload
	Waits  bool    `json:"waits"` // somebody waits for the acknowledgement
}

// parseRate reads "5/s", "8/min" or "5", which is a second, with or without the topics that it is of.
func parseRate(text string) (filter string, rate float64, err error) {
	if i := strings.LastIndexByte(text, '='); i >= 0 {
		filter, text = text[:i], text[i+1:]
		if err := topic.CheckFilter(filter); err != nil {
			return "", 0, fmt.Errorf("--rate: %q: %w", filter, err)
		}
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f > 0 && f <= mostRate {
		return filter, f, nil
	}
	var r conf.Rate
	if err := r.SetTOML(text); err != nil || !(r > 0 && r <= mostRate) {
		return "", 0, fmt.Errorf(`--rate: %q is not a rate; write "500/s", "30/min" or "1000/h", or "site/+/gpio/+=500/s" for those topics`, text)
	}
	return filter, float64(r), nil
}

// example is a topic that a filter matches.
func example(filter string) string {
	levels := strings.Split(filter, "/")
	for i, l := range levels {
		if l == "+" || l == "#" {
			levels[i] = "x" + strconv.Itoa(i)
		}
	}
	return strings.Join(levels, "/")
}
