package decode

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

const now = "@1700000000000000000"

var senmlCases = cases{
	{`[{"n":"hall/temp","u":"Cel","v":21.5,"t":1600000000.25}]`, "'hall/temp' 21.5 'Cel' @1600000000250000000 - -"},
	{`[{"n":"a","v":1},{"n":"b","v":2}]`, "'a' 1 - " + now + " - - | 'b' 2 - " + now + " - -"},
	{`[{"bn":"dev1/","bt":1600000000,"bu":"W","bv":20,"n":"p","v":1},{"n":"q","u":"V","t":-2.5},{"bn":"dev2/","n":"p","vs":"on"}]`,
		"'dev1/p' 21 'W' @1600000000000000000 - - | 'dev1/q' 20 'V' @1599999997500000000 - - | 'dev2/p' 'on' 'W' @1600000000000000000 - -"},
	{`[{"bn":"dev1","bt":1600000000,"bver":10},{"v":1,"t":1}]`, "'dev1' 1 - @1600000001000000000 - -"},
	{`[{"n":"a","t":-10,"vb":false},{"n":"a","t":5,"vb":true}]`, "'a' false - @1699999990000000000 - - | 'a' true - @1700000005000000000 - -"},
	{`[{"n":"e","s":5,"bs":100,"ut":3},{"n":"f","v":1}]`, "'e' - - " + now + " 105 3 | 'f' 1 - " + now + " 100 -"},
	{`[{"n":"d","vd":"AP-_"}]`, `'d' b"\x00\xff\xbf" - ` + now + " - -"},
	{`[{"n":"a","v":1,"extra":{"x":[]}}]`, "'a' 1 - " + now + " - -"},
	{`[]`, ""},
	{`[{"n":"a","v":1,"extra_":1}]`, `error: record 1: the field "extra_" must be understood`},
	{`[{"n":"a","v":1},{"n":"a","v":1,"vs":"x"}]`, "error: record 2: more values than one"},
	{`[{"n":"a"}]`, "error: neither a value nor a sum"},
	{`[{"v":1}]`, "error: no name"},
	{`[{"bver":11,"n":"a","v":1}]`, "error: version 11"},
	{`[{"bver":5,"n":"a","v":1},{"bver":10,"n":"a","v":1}]`, "error: record 2: the version changes"},
	{`[{"n":1,"v":1}]`, "error: not of the type"},
	{`[{"n":"a","t":1e300,"v":1}]`, "error: its time is beyond"},
	{`{"n":"a","v":1}`, "error: want an array of records"},
}

const senmlPaths = "name value unit time sum update"

func TestSenML(t *testing.T) {
	append(senmlCases, cases{
		{`[{"n":"a","v":1,"v":2}]`, "error: v is there twice"},
		{`[{"n":"a","vd":"A+=="}]`, "error: vd: not of the type"},
		{`[1]`, "error: record 1: not an object"},
		{`[{"n":"a","v":1}`, "error: not JSON"},
	}...).run(t, SenML, senmlPaths)
}

func TestSenMLInCBOR(t *testing.T) {
	var same cases
	for _, c := range senmlCases {
		same = append(same, struct{ payload, want string }{string(toCBOR(t, c.payload)), c.want})
	}
	same.run(t, SenMLCBOR, senmlPaths)
	cases{
		{"\x81\xa2\x00\x61a\x02\xc4\x82\x21\x19\x08\x67", "'a' 21.51 - " + now + " - -"}, // a decimal fraction
		{"\x81\xa2\x00\x61a\x02\xf9\x4d\x60", "'a' 21.5 - " + now + " - -"},              // half precision
		{"\x81\xa3\x00\x61a\x02\x01\x02\x02", "error: duplicate"},
		{"\x81\x01", "error: record 1: not a map"},
	}.run(t, SenMLCBOR, senmlPaths)
}

// toCBOR writes SenML in JSON as SenML in CBOR.
func toCBOR(t *testing.T, pack string) []byte {
	t.Helper()
	var tree any
	if err := json.Unmarshal([]byte(pack), &tree); err != nil {
		t.Fatal(err)
	}
	list, ok := tree.([]any)
	out := []any{}
	for _, r := range list {
		m := map[any]any{}
		for key, v := range r.(map[string]any) {
			label, known := senmlLabel([]byte(key))
			if !known {
				m[key] = v
				continue
			}
			if label == senmlData {
				v = []byte("\x00\xff\xbf")
			}
			for i, l := range cborLabels {
				if l == label {
					m[i-6] = v
				}
			}
		}
		out = append(out, m)
	}
	var root any = out
	if !ok {
		root = map[string]any{"n": 1}
	}
	text, err := cbor.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A record is shown resolved; what is shown is SenML with the same meaning.
func TestSenMLIsShownResolved(t *testing.T) {
	pack := `[{"bn":"dev/","bt":1600000000.123,"bu":"W","n":"p\"","v":1.5,"s":2},{"n":"q","vs":"x\ny"},{"n":"r","vb":true,"ut":60},{"n":"s","vd":"AP-_"}]`
	rows, shown, err := read(t, SenML, senmlPaths, pack)
	if err != nil || shown[0] != `{"n":"dev/p\"","u":"W","v":1.5,"s":2,"t":1600000000.123}` {
		t.Fatalf("%q, %v", shown, err)
	}
	again, shownAgain, err := read(t, SenML, senmlPaths, "["+strings.Join(shown, ",")+"]")
	if err != nil || fmt.Sprint(again) != fmt.Sprint(rows) || fmt.Sprint(shownAgain) != fmt.Sprint(shown) {
		t.Errorf("%s\n%s\n%v", rows, again, err)
	}
}

// Without the arrival, a relative time has no meaning.
func TestSenMLNeedsTheArrival(t *testing.T) {
	d := SenML.New(nil)
	if _, err := d.Decode([]byte(`[{"n":"a","v":1}]`), nil); err == nil || !strings.Contains(err.Error(), "relative to the arrival") {
		t.Error(err)
	}
	if n, err := d.Decode([]byte(`[{"n":"a","v":1,"t":1600000000}]`), nil); err != nil || n != 1 {
		t.Error(n, err)
	}
}

func TestSeconds(t *testing.T) {
	for ns, want := range map[int64]string{0: "0", 1: "0.000000001", -1_500_000_000: "-1.5", 1_600_000_000e9 + 120_000_000: "1600000000.12", -1 << 63: "-9223372036.854775808"} {
		if got := string(appendSeconds(nil, ns)); got != want {
			t.Errorf("%d: %s, want %s", ns, got, want)
		}
	}
	if micros(1600000000.000001) != 1600000000e9+1000 || micros(-0.25) != -250e6 {
		t.Error("microseconds are kept")
	}
}
