package batches

import (
	"slices"

	"edged"
	"edged/internal/lately"
	"edged/internal/rowcodec"
)

// topicInfo is what a topic means to a stream: worked out once for each topic of a block, not for each message. That costs so little that
// nothing is remembered from block to block: however many topics there are, they take the memory of those of one block.
type topicInfo struct {
	known  bool
	routed bool
	key    [2]uint32 // of the group, if it depends on the topic only: where it stands in topicInfos.keys
}

// topicInfos are those of a block.
type topicInfos struct {
	ofGroup bool // the group depends on the topic only
	infos   []topicInfo
	keys    []byte
	other   topicInfo // see aside
	others  []byte    // its key

	topics, bytes lately.Most // of a block, and of their keys
}

func newTopicInfos(p *Plan) topicInfos {
	return topicInfos{ofGroup: len(p.keys) > 0 && !slices.ContainsFunc(p.keys, func(k keyed) bool { return !k.expr.OfTopic() })}
}

// enter begins with a block, which spells each topic once.
func (r *rowReader) enter(b *edged.Block) {
	t := &r.topics
	r.block, t.infos, t.keys = b, slices.Grow(t.infos[:0], len(b.Topics))[:len(b.Topics)], t.keys[:0]
	clear(t.infos)
}

// letGo is called when a block has been read: it may be large. What its topics took is used again, unless it is much more than the latest blocks needed.
func (r *rowReader) letGo() {
	r.block = nil
	t := &r.topics
	if most, over := t.topics.Note(len(t.infos)); over && cap(t.infos) > 8*most+1024 {
		t.infos = nil
	}
	if most, over := t.bytes.Note(len(t.keys)); over && cap(t.keys) > 8*most+4096 {
		t.keys = nil
	}
}

// info is what topic i of the block means; it is valid until the next block.
func (r *rowReader) info(i uint32) *topicInfo {
	t := &r.topics.infos[i]
	if !t.known {
		r.topics.keys = r.learn(t, r.block.Topics[i], r.topics.keys)
	}
	return t
}

// aside is what a topic means that need not be one of the block; it is valid until the next call.
func (r *rowReader) aside(name string) *topicInfo {
	t := &r.topics
	t.others = r.learn(&t.other, name, t.others[:0])
	return &t.other
}

// learn works it out, and appends the key to keys.
func (r *rowReader) learn(t *topicInfo, name string, keys []byte) []byte {
	*t = topicInfo{known: true, routed: r.p.matches(name)}
	if t.routed && r.topics.ofGroup {
		r.row.Topic = name
		from := len(keys)
		keys = r.appendGroup(keys)
		t.key = [2]uint32{uint32(from), uint32(len(keys))}
	}
	return keys
}

// group returns the key of the row's group, valid until the next call, and not to be written to.
func (r *rowReader) group() []byte {
	switch t := &r.topics; {
	case len(r.p.keys) == 0:
		return nil
	case !t.ofGroup:
		r.key = r.appendGroup(r.key[:0])
		return r.key
	case r.topic == &t.other:
		return t.others
	default:
		return t.keys[r.topic.key[0]:r.topic.key[1]]
	}
}

func (r *rowReader) appendGroup(b []byte) []byte {
	for _, k := range r.p.keys {
		b = rowcodec.AppendValue(b, orNull(r.eval.Value(k.expr, &r.row)))
	}
	return b
}

// groupValues evaluates the group's keys, and owns their texts.
func (r *rowReader) groupValues() []edged.Value {
	values := make([]edged.Value, len(r.p.keys))
	for i, k := range r.p.keys {
		values[i] = own(orNull(r.eval.Value(k.expr, &r.row)))
	}
	return values
}

func (p *Plan) takes(receiver string) bool {
	return slices.Contains(p.own, receiver) || p.join != nil && p.join.other == receiver
}

func (p *Plan) matches(name string) bool { return len(p.topics) == 0 || p.filters.Match(name) }

// Takes reports whether a stream takes messages of this receiver and topic.
func (p *Plan) Takes(receiver, topic string) bool {
	return slices.Contains(p.own, receiver) && p.matches(topic) || p.join.takes(receiver, topic)
}
