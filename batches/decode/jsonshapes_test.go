package decode

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"edged"
	"edged/test/await"

	"pgregory.net/rapid"
)

// shapeless is a decoder that reads every payload as a whole.
func shapeless(paths [][]string) *jsonDecoder {
	d := newJSON(paths).(*jsonDecoder)
	d.shapes.rest = math.MaxInt
	return d
}

// inside are columns that are not objects themselves: a payload in which a column is one has no shape.
var inside = [][]string{{"value"}, nil, {"a"}, {"a", "0"}, {"a", "01"}, {"b", "a", "b"}, {"é"}, {"1", "1"}, {"0", "a", "2", "b"}, {"s"}, {""}}

// pair are two decoders, one that learns shapes and one that does not.
type pair struct {
	paths         [][]string
	learns, whole *jsonDecoder
	cols, want    []edged.Value
	fitted        int // payloads that were of a known shape
}

func newPair(paths [][]string) *pair {
	return &pair{
		paths: paths, learns: newJSON(paths).(*jsonDecoder), whole: shapeless(paths), cols: make([]edged.Value, len(paths)), want: make([]edged.Value, len(paths)),
	}
}

// check holds what is made of a payload with shapes against what is made of it without.
func (p *pair) check(t fataler, payload string) {
	k := &p.learns.shapes
	worth, rest := k.worth, k.rest
	for i := range p.cols { // what was there before is not seen
		p.cols[i], p.want[i] = edged.TextValue("old"), edged.TextValue("old")
	}
	n, err := p.learns.Decode([]byte(payload), p.cols)
	wantN, wantErr := p.whole.Decode([]byte(payload), p.want)
	if n != wantN || fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Fatalf("%q: %d, %v; read as a whole: %d, %v", payload, n, err, wantN, wantErr)
	}
	for i := range p.cols {
		if p.cols[i] != p.want[i] {
			t.Fatalf("%q: %q is %+v; read as a whole: %+v", payload, p.paths[i], p.cols[i], p.want[i])
		}
	}
	if err == nil && len(k.known) > 0 && k.worth >= worth && k.rest == rest {
		p.fitted++
	}
}

// drawVariant is a payload like another one: with other scalars, or none, where it has scalars, and perhaps with a mistake.
func drawVariant(t *rapid.T, payload string) string {
	var out strings.Builder
	if json.Valid([]byte(payload)) && utf8.ValidString(payload) {
		for i := 0; i < len(payload); {
			end, scalar := jsonToken([]byte(payload), i)
			if scalar && rapid.Bool().Draw(t, "other") {
				out.WriteString(drawJSON(t, rapid.SampledFrom([]int{4, 4, 4, 4, 3}).Draw(t, "scalar"))) // 4: never an object or array
			} else {
				out.WriteString(payload[i:end])
			}
			i = end
		}
		payload = out.String()
	}
	if rapid.IntRange(0, 2).Draw(t, "spoilt") == 0 && payload != "" {
		at := rapid.IntRange(0, len(payload)-1).Draw(t, "at")
		cut := rapid.IntRange(0, 2).Draw(t, "cut")
		payload = payload[:at] + rapid.SampledFrom([]string{"", ",", `"`, "}", "]", "{", `\`, "0", "1", ".", "e5", "-", ":", " ", "\n", "a", "é", "\xff", "\x00", `"b":1,`}).Draw(t, "with") + payload[min(at+cut, len(payload)):]
	}
	return payload
}

// What is known of shapes changes nothing: every payload, after any others, is accepted or refused, and read, as if there were none.
func TestShapesChangeNothing(t *testing.T) {
	fitted, refused := 0, 0
	await.Luck(t, func() bool { return fitted > 0 && refused > 0 }, func(t *rapid.T) {
		p, payloads := newPair(rapid.SampledFrom([][][]string{scanned, inside}).Draw(t, "columns")), []string{}
		for range rapid.IntRange(1, 4).Draw(t, "kinds") {
			payloads = append(payloads, drawBlank(t)+drawJSON(t, 0)+drawBlank(t))
		}
		for range rapid.IntRange(2, 40).Draw(t, "payloads") {
			payload := rapid.SampledFrom(payloads).Draw(t, "like")
			if rapid.IntRange(0, 3).Draw(t, "same") > 0 {
				payload = drawVariant(t, payload)
			}
			had := p.fitted
			p.check(t, payload)
			if had == p.fitted && len(p.learns.shapes.known) > 0 {
				refused++
			}
		}
		fitted += p.fitted
	})
	if fitted == 0 || refused == 0 {
		t.Errorf("%d payloads were of a known shape, %d were not", fitted, refused)
	}
}

// A shape that fits as far as a column and no further has not read it: in the one that fits, the column can be nowhere, as here, where a name that is spelled out wins over
// one with an escape.
func TestAShapeThatDoesNotFitHasReadNothing(t *testing.T) {
	p := newPair([][]string{{"a", "b"}})
	for range 2 {
		p.check(t, `{"\u0061":{"b":1},"c":3}`)
		p.check(t, `{"\u0061":{"b":1},"a":3}`)
		p.check(t, `{"\u0061":{"b":9},"a":4}`)
	}
	if p.fitted == 0 {
		t.Error("no payload was of a known shape")
	}
}

// The same of any payloads that begin alike, with a field that may be named twice, with and without an escape.
func TestShapesOfFieldsThatAreNamedTwice(t *testing.T) {
	fitted := 0
	await.Luck(t, func() bool { return fitted > 0 }, func(t *rapid.T) {
		p := newPair([][]string{{"a", "b"}, {"c"}})
		name := rapid.SampledFrom([]string{`"a"`, `"\u0061"`, `"c"`})
		value := rapid.SampledFrom([]string{"%d", `"%d"`, `"\n%d"`, `{"b":%d}`, `{"\u0062":%d,"b":4}`})
		field := func() string { return name.Draw(t, "name") + ":" + value.Draw(t, "value") }
		first := field()
		sorts := []string{}
		for range rapid.IntRange(2, 4).Draw(t, "sorts") {
			sorts = append(sorts, "{"+first+","+field()+"}")
		}
		for n := range rapid.IntRange(10, 40).Draw(t, "payloads") {
			p.check(t, strings.ReplaceAll(rapid.SampledFrom(sorts).Draw(t, "sort"), "%d", fmt.Sprint(n)))
		}
		fitted += p.fitted
	})
}

// Each byte of a payload of a known shape counts, whatever stands in its place.
func TestEachByteOfAShapeCounts(t *testing.T) {
	const others = "\x00\t\n\r\x1f \"\\/,:{}[]019.-+eEtfna\x7f\x80\xbf\xc3\xff"
	for _, payload := range []string{
		`{"a":1,"value":23.5,"b":{"a":{"b":"x"}},"é":"°C","1":[true,null],"a name that is longer than others": -120e4,"s":"a text that is longer than sixteen bytes"} `,
		`[{"a":[1, 2 ,{"b":false}],"b":"\u0041é"},12345678901234567890, 0.125]`,
	} {
		for at := range len(payload) {
			for c := range len(others) + 8 {
				other := payload[at] ^ 1<<(c%8)
				if c >= 8 {
					other = others[c-8]
				}
				p := newPair(inside)
				p.check(t, payload)
				p.check(t, payload[:at]+string([]byte{other})+payload[at+1:])
				p.fitted = 0
				if p.check(t, payload); p.fitted == 0 {
					t.Fatalf("%q is of no known shape", payload)
				}
			}
		}
	}
}

// FuzzShapesChangeNothing reads a payload, and then one that differs from it in one place, and the other way round.
func FuzzShapesChangeNothing(f *testing.F) {
	sensor := `{"a":1,"value":23.5,"b":{"a":{"b":"x"}},"é":"°C","1":[true,null],"seq":-123e4} `
	for at, c := range sensor {
		for _, with := range []string{"", "0", "1", ".", "-", "e", `"`, `\`, ",", "}", "é"} {
			if with != string(c) {
				f.Add(sensor, uint16(at), uint16(len(string(c))), with)
			}
		}
	}
	for _, s := range []string{`{"a":1,"a":2}`, `{"\u0061":1,"a":2}`, `{"\u0061":{"b":1},"a":3}`, `{"a":{"b":1},"a":3}`, `{"a":[1,2,3]}`, "7", `"x"`, "{}", "[[],{}]", `[[1,2],[3,4]]`, "{\"a\":\n1}", `{"a":"\ud83d\ude00"}`} {
		f.Add(s, uint16(5), uint16(1), `"y"`)
	}
	f.Fuzz(func(t *testing.T, first string, at, cut uint16, with string) {
		from := min(int(at), len(first))
		second := first[:from] + with + first[min(from+int(cut), len(first)):]
		for _, order := range [][]string{{first, second}, {second, first}} {
			p := newPair(inside)
			for range 2 {
				for _, payload := range order {
					p.check(t, payload)
				}
			}
		}
	})
}

// Sensors of several sorts are read by their shapes, of which none is learnt twice; what is different each time is not looked at for long, and has no room for long.
func TestShapesAreLearntWhereTheyAreOfUse(t *testing.T) {
	p := newPair(inside)
	for i, payload := range readings(3) {
		p.check(t, string(payload))
		if want := i + 1 - 3; p.fitted < want {
			t.Fatalf("%d of %d payloads of three sorts were of a known shape", p.fitted, i+1)
		}
	}
	new := func(i int) string { return fmt.Sprintf(`{"a":%d,"k%d":1}`, i, i) }
	for i := range 20_000 { // one in four is another each time
		p.fitted = 0
		if i%4 > 0 {
			p.check(t, fmt.Sprintf(`{"b":"x","a":%d,"c":%d}`, i, i%4))
		} else {
			p.check(t, new(i))
		}
		if i > 1000 && i%4 > 0 && p.fitted == 0 {
			t.Fatalf("payload %d is of no known shape", i)
		}
	}
	busy := 0
	for i := range 20_000 {
		p.check(t, new(i))
		if len(p.learns.shapes.known) > 0 {
			busy++
		}
	}
	if busy > 1500 {
		t.Errorf("after %d of 20000 payloads of no shape it was looked for one", busy)
	}
}

// What is known takes bounded memory, however large and many payloads are; and to learn takes no memory once there is some.
func TestShapesTakeBoundedMemory(t *testing.T) {
	d, cols, most := newJSON(inside).(*jsonDecoder), make([]edged.Value, len(inside)), 0
	for i := range 5 * longRest {
		field := fmt.Sprintf(`"k%d":%d,`, i, i)
		if _, err := d.Decode([]byte("{"+strings.Repeat(field, i*7919%(2*maxShape)/len(field))+`"a":1}`), cols); err != nil {
			t.Fatal(err)
		}
		most = max(most, shapesMemory(&d.shapes))
	}
	if most > 80<<10 || most < 10<<10 {
		t.Errorf("shapes took %d bytes", most)
	}
}

func shapesMemory(k *jsonShapes) (n int) {
	for _, h := range append([]*jsonShape{k.spare}, k.known...) {
		if h != nil {
			n += cap(h.texts) + cap(h.slots)*int(unsafe.Sizeof(0)) + cap(h.places)*int(unsafe.Sizeof(jsonPlace{}))
		}
	}
	return n
}
