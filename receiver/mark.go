package receiver

// Marker is what a Handler can be besides: it is told where the source says that a batch ends.
//
// Mark is called by the goroutine that calls Take, and only when every message that was taken before is stored: what is taken
// afterwards is in later blocks, with later cuts, than everything before.
type Marker interface{ Mark() }

// Mark implements Marker: the open block, if there is one, ends here.
func (g *Generator) Mark() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state == Active {
		g.cut(g.o.Clock.Now())
	}
}
