package batches

import "edged"

// foundGroups are groups by the topics of the block that is read, where a topic alone says what the group is: one that comes again costs no look-up. They are of
// the first pane that had one, since most rows of a block are of one pane.
type foundGroups struct {
	block  *edged.Block
	pane   *pane
	groups []*group // by topic
}

// group finds the group of a row in its pane: nil if there is none.
func (f *foundGroups) group(p *pane, in *arrived) *group {
	r := in.reader
	if !r.topics.ofGroup || r.held != nil {
		return p.groups[string(in.key)]
	}
	topic := int(r.block.Topic[r.index])
	if f.pane == p && f.block == r.block && topic < len(f.groups) && f.groups[topic] != nil {
		return f.groups[topic]
	}
	g := p.groups[string(in.key)]
	if f.pane == nil {
		f.block, f.pane = r.block, p
	}
	if f.pane == p && f.block == r.block {
		for len(f.groups) <= topic {
			f.groups = append(f.groups, nil)
		}
		f.groups[topic] = g
	}
	return g
}

// forget is called when the block has been read.
func (f *foundGroups) forget() {
	clear(f.groups)
	if f.block, f.pane, f.groups = nil, nil, f.groups[:0]; cap(f.groups) > maxFound {
		f.groups = nil
	}
}

// maxFound is for how many topics memory is kept.
const maxFound = 4096
