package sizing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"edged/configs"
	"edged/gpio"
	"edged/internal/human"
	"edged/internal/topic"
)

// flows are the messages that come in, as far as anybody says, and what was assumed.
func flows(c *configs.Config, a *Ask) (out []Flow, assumed []string, err error) {
	n, bytes := cmp.Or(a.Topics, defaultTopics), cmp.Or(a.Bytes, defaultBytes)
	out, assumed = pins(c, a)
	rates := a.Rates
	if len(rates) == 0 && len(out) == 0 {
		rates = []string{fmt.Sprint(defaultRate)}
		assumed = append(assumed, fmt.Sprintf("%v messages a second come in (--rate)", defaultRate))
	}
	for _, text := range rates {
		filter, rate, err := parseRate(text)
		if err != nil {
			return nil, nil, err
		}
		if filter == "" {
			filter = narrowest(c)
		}
		f := Flow{Topic: example(filter), Topics: n, Rate: rate, Bytes: bytes, Waits: a.QoS > 0}
		if f.Topic == filter {
			f.Topics = 1
		}
		out = append(out, f)
	}
	if len(rates) > 0 {
		if a.Topics == 0 {
			assumed = append(assumed, fmt.Sprintf("those of one rate have %d topics, each with a group of its own (--topics)", n))
		}
		if a.Bytes == 0 {
			assumed = append(assumed, fmt.Sprintf("a payload has %d bytes (--bytes)", bytes))
		}
	}
	for _, f := range out {
		if !slices.ContainsFunc(c.Receivers, func(r configs.Receiver) bool { return takes(r, f.Topic) }) {
			assumed = append(assumed, fmt.Sprintf("no receiver takes %s: those messages cost nothing, and are kept nowhere", f.Topic))
		}
	}
	return out, assumed, nil
}

// pins are the readings of the configuration's pins, if they reach this gateway.
func pins(c *configs.Config, a *Ask) (out []Flow, assumed []string) {
	if c.GPIO == nil || c.GPIO.PublishTo != gpio.Embedded {
		return nil, nil
	}
	rate, edges := cmp.Or(float64(a.Pins), defaultPin), 0
	for _, p := range c.GPIO.Pins {
		f := Flow{Topic: strings.NewReplacer("{name}", p.Name, "{line}", p.Line).Replace(c.GPIO.Topic), Topics: 1, Rate: rate, Bytes: pinBytes, Waits: c.GPIO.QoS > 0}
		if p.Interval > 0 {
			f.Rate = 1 / p.Interval.D().Seconds()
		} else {
			edges++
		}
		out = append(out, f)
	}
	if edges > 0 && a.Pins == 0 {
		assumed = append(assumed, fmt.Sprintf("%s %v times a minute (--pins)", human.Plural(edges, "pin that reports edges changes", "pins that report edges change, each"), defaultPin*60))
	}
	return out, assumed
}

// narrowest is the filter with the most levels of all streams, which most of the others take too; else what a receiver takes.
func narrowest(c *configs.Config) (filter string) {
	better := func(filters []string) {
		for _, f := range filters {
			if filter == "" || strings.Count(f, "/") > strings.Count(filter, "/") {
				filter = f
			}
		}
	}
	for _, s := range c.Streams {
		better(s.Topics)
	}
	for _, r := range c.Receivers {
		if filter == "" || !takes(r, example(filter)) && len(c.Receivers) == 1 {
			filter = ""
			better(r.Config.Covers())
		}
	}
	return cmp.Or(filter, "#")
}

// takes reports whether messages of a topic come to a receiver. What one of the kind replay gives, a file says.
func takes(r configs.Receiver, name string) bool {
	return r.Common.Type != "replay" && slices.ContainsFunc(r.Config.Covers(), func(f string) bool { return topic.Match(f, name) || topic.Covers(f, name) })
}
