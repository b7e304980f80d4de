package decode

import (
	"fmt"
	"testing"

	"edged"
)

func TestInflux(t *testing.T) {
	cases{
		{"weather temp=21.5 1700000000000000000", "'weather' - 21.5 - @1700000000000000000"},
		{"weather,room=hall temp=21.5,ok=t", "'weather' 'hall' 21.5 true -"},
		{"a temp=5i\n\n# a comment\nb temp=5u -1\r\nc temp=-5i,ok=FALSE\n", "'a' - 5 - - | 'b' - 5 - @-1 | 'c' - -5 false -"},
		{`m\,1\ x,room=a\ b\,c\=d temp=1e3`, `'m,1 x' 'a b,c=d' 1000 - -`},
		{`m\a,room=c:\dir\\,x temp=1`, `'m\a' 'c:\dir\,x' 1 - -`},
		{`m=1,room=c:\dir temp=1`, `'m=1' 'c:\dir' 1 - -`},
		{`m temp="a, \"b\" \\ c=d \x",ok=F`, `'m' - 'a, "b" \ c=d \x' false -`},
		{"m temp=\"two\nlines\" 5\nn temp=1", "'m' - 'two\nlines' - @5 | 'n' - 1 - -"},
		{"  m  temp=1   5  ", "'m' - 1 - @5"},
		{"m,room=a,room=b temp=1,temp=2", "'m' 'b' 2 - -"},
		{"m,temp=x temp=2", "'m' - 2 - -"},
		{"m temp=9223372036854775807i", "'m' - 9.223372036854776e+18 - -"},
		{"m temp=9223372036854775808i", "error: is no number"},
		{"m temp=-1u", "error: is no number"},
		{"m temp=1.5i", "error: is no number"},
		{"m temp=nan", "error: is no number"},
		{"m temp=1e999", "error: is no number"},
		{"m temp=on", "error: is no number"},
		{"m temp=", "error: is no number"},
		{"m", "error: it has no fields"},
		{"m 5", "error: want field=value"},
		{"m,room temp=1", "error: want tag=value"},
		{"m,room= temp=1", "error: has no value"},
		{"m temp=1,", "error: want field=value"},
		{"m temp=1, ok=t", "error: want field=value"},
		{",a=b temp=1", "error: does not begin with a measurement"},
		{"m temp=1 1.5", "error: the timestamp"},
		{"m temp=1 99999999999999999999", "error: the timestamp"},
		{"m temp=1 5 6", "error: something follows the timestamp"},
		{`m temp="x`, "error: a quote that is not closed"},
		{`m temp="x"y`, "error: something follows the closing quote"},
		{"m temp=1\nm temp=1\nm", "error: line 3: it has no fields"},
		{"", ""},
	}.run(t, Influx, "measurement room temp ok timestamp")

	ms, wrong := (&InfluxOptions{Precision: "ms"}).Kind()
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	cases{{"m a=1 1700000000123", "@1700000000123000000"}, {"m a=1 17000000000000", "error: the timestamp"}}.run(t, ms, "timestamp")
	if _, wrong := (&InfluxOptions{Precision: "min"}).Kind(); len(wrong) != 1 || wrong[0].Key != "precision" {
		t.Error(wrong)
	}
	_, shown, _ := read(t, Influx, "", "# x\n a b=1 \nc d=2")
	if fmt.Sprintf("%q", shown) != `["a b=1" "c d=2"]` {
		t.Errorf("%q", shown)
	}
	if Influx.TypeOf([]string{"timestamp"}) != edged.Time || Influx.TypeOf([]string{"temp"}) != edged.Absent {
		t.Error("the fixed columns have types, the others have not")
	}
}
