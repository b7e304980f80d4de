package receiver

import (
	"testing"
	"testing/synctest"
)

// A mark parts what was taken before it from what is taken after it, stored or not.
func TestAMarkEndsABlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := setup(nil)
		run(t, g, func() {
			g.Mark() // nothing is open
			take(t, g, "x", "1", nil, 0)
			g.Mark()
			take(t, g, "x", "2", nil, 0)
			s.commit(nil)
		})
		if len(s.blocks) != 2 || s.blocks[0].Len() != 1 || string(s.blocks[1].Payload(0)) != "2" {
			t.Errorf("%d blocks", len(s.blocks))
		}
	})
}
