package batches

import (
	"encoding/json"
	"testing"

	"edged"
)

// What the store keeps of a stream and is damaged in a way that its checksum does not see is refused, or is a state like any other.
func FuzzStored(f *testing.F) {
	c := pinsConfig()
	p := mustPlan(f, c)
	whole := newMemStore(p)
	s := newStream(c, p, whole)
	open(f, s)
	whole.addBlock(blockOf("a", edged.Instant{Wall: 1000 * sec}, msg{"site/1/gpio/1", `{"value":1}`, 999 * sec}))
	step(f, s)
	key := ""
	for _, pane := range s.st.(*panes).byKey {
		for _, g := range pane.groups {
			key = g.key
			f.Add(g.key, g.append(nil))
		}
	}
	f.Add(key, s.appendHeader(nil))
	f.Add("", s.rec.append(nil))
	if d, err := loadDefinitions(whole, s.name); err == nil && d != nil {
		text, _ := json.Marshal(d)
		f.Add("", text)
	}
	f.Fuzz(func(t *testing.T, key string, b []byte) {
		whole := newMemStore(p)
		s := newStream(c, p, whole)
		open(t, s)
		if r, err := readRecord(b); err == nil {
			r.cursor("x")
			r.routed("x", &edged.Tick{})
			if again, err := readRecord(r.append(nil)); err != nil || again != r {
				t.Fatalf("%+v is read as %+v, %v", r, again, err)
			}
		}
		var d definitions
		if json.Unmarshal(b, &d) == nil {
			d.begin(p, 3, 2)
			d.put("x")
			stretch(d.Segments, edged.Place{Log: "pins"})
		}
		if len(b) > 9 {
			s.rec.checkpoint = (&headerReader{b: b[1:]}).u64() // it is compared with the cursor's
		}
		if s.readHeader(b) == nil {
			s.appendHeader(nil)
		}
		if s.st.load(string((paneKey{0, 990 * sec}).append([]byte{'g'}))+key, b, nil) == nothing {
			s.addCheckpoint(&edged.Update{})
			s.st.closeAll(&s.out)
			s.out.entryEnd(1, s.wm.now())
		}
	})
}
