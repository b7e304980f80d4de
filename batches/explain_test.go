package batches

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"edged/internal/conf"
)

// Every key that is not at its default is in the explanation, whoever added it: in its own place, or as a step in the order of the table.
func TestAnExplanationLeavesNoKeyOut(t *testing.T) {
	c, usual := reflect.TypeFor[StreamConfig](), DefaultStream()
	for i := range c.NumField() {
		key, field := c.Field(i).Tag.Get("toml"), c.Field(i)
		if key == "" || field.Tag.Get("json") == "-" || slices.Contains(shownElsewhere, key) {
			continue
		}
		changed := *usual
		switch v := reflect.ValueOf(&changed).Elem().Field(i); v.Interface().(type) {
		case conf.Pairs:
			v.Set(reflect.ValueOf(conf.Pairs{{Key: "k", Value: "x"}}))
		default:
			switch v.Kind() {
			case reflect.String:
				v.SetString("x")
			case reflect.Int, reflect.Int64:
				v.SetInt(77)
			default:
				continue // a table of its own
			}
		}
		if got := steps(&changed); len(got) != 1 || got[0].Key != key || got[0].Text == "" {
			t.Errorf("%s is shown as %+v", key, got)
		}
	}
	if got := steps(usual); len(got) != 0 {
		t.Errorf("defaults are shown: %+v", got)
	}
}

func TestAnExplanationSaysWhatIsReadWhere(t *testing.T) {
	c := pinsConfig()
	c.Select = conf.Pairs{{Key: "step", Value: "value - lag(before.value)"}}
	c.Changed, c.Deadband = "step", "2%"
	c.FlatMap = conf.Pairs{{Key: "r", Value: "readings"}}
	c.GroupBy = conf.Pairs{{Key: "device", Value: "topic[1]"}, {Key: "unit", Value: "r.unit"}}
	c.Time = "payload.ts"
	x := mustPlan(t, c).Explain()
	reads := map[string][]string{}
	for _, r := range x.Reads {
		reads[r.Column] = r.In
	}
	for column, want := range map[string][]string{
		"value":        {"where", "select.step", "aggregate.mean", "aggregate.max"},
		"before.value": {"select.step"},
		"readings":     {"flat_map.r"},
		"r.unit":       {"group_by.unit"},
		"ts":           {"time"},
	} {
		if !slices.Equal(reads[column], want) {
			t.Errorf("%s is read in %v, want %v", column, reads[column], want)
		}
	}
	if len(reads) != 5 {
		t.Errorf("reads %v", reads)
	}
	var order []string
	for _, s := range x.Steps {
		order = append(order, s.where())
	}
	want := []string{"flat_map.r", "where", "select.step", "changed", "deadband", "group_by.device", "group_by.unit", "window", "aggregate.n", "aggregate.mean", "aggregate.max"}
	if !slices.Equal(order, want) {
		t.Errorf("the steps are %v, want %v", order, want)
	}
	if len(x.Time) != 4 || !strings.Contains(x.Time[0], "payload.ts") {
		t.Errorf("time: %q", x.Time)
	}
	if i := slices.IndexFunc(x.Notes, func(n string) bool { return strings.Contains(n, "once a topic") }); i >= 0 {
		t.Errorf("group_by reads the payload, and the note says: %s", x.Notes[i])
	}
}

// A formula is that of the list, and every aggregate of the list has a bound or is said to grow.
func TestAnExplanationTakesFormulasFromTheList(t *testing.T) {
	for _, k := range Aggregates {
		kind := k.New()
		if kind.New == nil {
			continue // it wants constants
		}
		text := k.Name + "()"
		if kind.Argument != 0 {
			text = k.Name + "(value)"
		}
		c := pinsConfig()
		c.Aggregate = conf.Pairs{{Key: "a", Value: text}}
		x := mustPlan(t, c).Explain()
		if last := x.Steps[len(x.Steps)-1]; last.Note != kind.Formula || last.Text != text {
			t.Errorf("%s: %+v", text, last)
		}
		least, most := x.State.Bytes()
		if least <= 0 || most < least || x.State.Parts < 1 {
			t.Errorf("%s: %+v", text, x.State)
		}
	}
}

func TestTheStateBoundFollowsTheWindow(t *testing.T) {
	for _, is := range []struct {
		window, aggregate, time string
		parts                   int64
	}{
		{"tumbling 10s", "count()", "arrival", 1},
		{"sliding 1m every 10s", "count()", "arrival", 6},
		{"tumbling 10s", "rate(value)", "arrival", 2},
		{"tumbling 10s", "count()", "ts", 8}, // 5 s of lateness and 1 min ahead
	} {
		c := pinsConfig()
		c.Window, c.Time, c.Aggregate = is.window, is.time, conf.Pairs{{Key: "a", Value: is.aggregate}}
		if b := mustPlan(t, c).Explain().State; b.Parts != is.parts || b.Groups != c.MaxGroups {
			t.Errorf("%s of %s: %+v, want %d parts", is.aggregate, is.window, b, is.parts)
		}
	}
	c := pinsConfig()
	c.Window, c.Aggregate, c.GroupBy = "", nil, nil
	if b := mustPlan(t, c).Explain().State; b != nil {
		t.Errorf("a stream without state has the bound %+v", b)
	}
	c.Changed = "value"
	if b := mustPlan(t, c).Explain().State; b == nil || b.Parts != 0 || b.Key < maxText {
		t.Errorf("changed has the bound %+v", b)
	}
}
