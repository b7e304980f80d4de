package template

import (
	"slices"
	"testing"

	"edged"
	"edged/sinks/encode"
)

type plain struct{}

func (plain) AppendLiteral(dst []byte, text string) []byte { return append(dst, text...) }
func (plain) AppendValue(dst []byte, v edged.Value) []byte { return encode.AppendPlain(dst, v) }

func TestFilling(t *testing.T) {
	rows := &edged.Rows{Stream: "pins", Names: []string{"device", "n"}, Cells: []edged.Value{edged.TextValue("7"), edged.NumberValue(2.5)}, At: make([]edged.Pos, 1)}
	for text, want := range map[string]string{
		"": "", "a/b": "a/b", "{stream}": "pins", "r/{stream}/{device}/{n}": "r/pins/7/2.5", "{device}{device}x": "77x", "{nosuch}": "null",
	} {
		p, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(p.In(rows).Append(nil, rows.Row(0), plain{})); got != want || p.String() != text {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestWhatIsNoTemplate(t *testing.T) {
	for _, text := range []string{"{", "a}", "{}", "{a", "{a{b}}", "{a b}", "}{"} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestWhatEveryTextBeginsWith(t *testing.T) {
	for text, want := range map[string]string{"a/{stream}/b": "a/s/b=", "a/{stream}/{x}/b": "a/s/", "{x}": "", "": "="} {
		p, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		prefix, whole := p.Prefix("s")
		if whole {
			prefix += "="
		}
		if prefix != want {
			t.Errorf("%q: %q, want %q", text, prefix, want)
		}
	}
	p, _ := Parse("{a}/{stream}/{b}")
	if got := p.Columns(); !slices.Equal(got, []string{"a", "b"}) {
		t.Error(got)
	}
}
