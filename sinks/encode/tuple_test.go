package encode

import (
	"testing"

	"edged"
)

func TestTuple(t *testing.T) {
	rows := &edged.Rows{
		Stream: "words",
		Names:  []string{"window_start", "window_end", "word", "n", "mean", "epoch", "clock_trusted", "partial"},
		Cells: []edged.Value{
			edged.TimeValue(0), edged.TimeValue(3e9), edged.TextValue("hello"), edged.NumberValue(3), edged.NumberValue(1e6), {}, {}, {},
			edged.TimeValue(0), edged.TimeValue(3e9), edged.TextValue("a,b\n\x1b[2J\x00\u009b\xff"), edged.NumberValue(1), {}, edged.NumberValue(2), edged.BoolValue(false), edged.BoolValue(true),
		},
		At: make([]edged.Pos, 2),
	}
	if got, want := string(AppendTuple(nil, rows)), "(hello,3,1000000)\n(a,b\\n\\u001b[2J\\u0000\\u009b\ufffd,1,null)\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	raw := &edged.Rows{
		Stream: "raw", Names: []string{"time", "topic", "payload", "epoch", "clock_trusted"},
		Cells: []edged.Value{edged.TimeValue(0), edged.TextValue("a/b"), edged.JSONValue(`{"v":[1,null]}`), {}, {}},
		At:    make([]edged.Pos, 1),
	}
	if got, want := string(AppendTuple(nil, raw)), "({\"v\":[1,null]})\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
