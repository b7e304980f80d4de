package broker

import "edged/broker/wire"

// topicAliases is the Topic Alias Maximum of both directions: the one that clients are told, and the most that are used
// towards them.
const topicAliases = 16

// maxNamed is the longest topic that gets an alias: it is kept as long as the connection.
const maxNamed = 1024

// aliasSize is what an alias adds to a packet at most.
const aliasSize = 5

// outAliases are the topic aliases given to a client. The first topics get one, for good. Under conn.mu, so that they are given
// in the order in which the packets leave.
type outAliases struct {
	max   uint16 // 0: the client takes none
	known map[string]uint16
}

// shorten uses an alias in a message, if there is one.
func (o *outAliases) shorten(m *wire.Message) {
	if o.max == 0 {
		return
	}
	if alias, ok := o.known[m.Topic]; ok {
		m.Topic, m.Alias = "", alias
		return
	}
	if len(o.known) < int(o.max) && len(m.Topic) <= maxNamed {
		if o.known == nil {
			o.known = map[string]uint16{}
		}
		m.Alias = uint16(len(o.known) + 1)
		o.known[m.Topic] = m.Alias
	}
}
