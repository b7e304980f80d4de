package receiver

import (
	"net"
	"net/netip"
	"strings"

	"edged/internal/conf"
	"edged/internal/topic"
)

// lineTopic is the template of a topic: {name} is the receiver's name, {addr} the peer's address, if it has one.
type lineTopic string

// check reports a template that makes no topic name. keys are the placeholders that the kind knows.
func (l lineTopic) check(t *conf.Table, keys ...string) {
	text := string(l)
	for _, k := range keys {
		text = strings.ReplaceAll(text, k, "x")
	}
	if _, unknown, ok := strings.Cut(text, "{"); ok {
		unknown, _, _ = strings.Cut(unknown, "}")
		t.Errorf("topic", "topic: {%s} is not known here; there is %s", unknown, strings.Join(keys, " and "))
		return
	}
	if err := topic.CheckName(text); err != nil {
		t.Errorf("topic", "topic: %q: %v", string(l), err)
	}
}

// covers is the filter of the topics that it makes.
func (l lineTopic) covers(name string) string {
	levels := strings.Split(strings.ReplaceAll(string(l), "{name}", name), "/")
	for i := range levels {
		if strings.Contains(levels[i], "{addr}") {
			levels[i] = "+"
		}
	}
	return strings.Join(levels, "/")
}

// of is the topic for a peer.
func (l lineTopic) of(name, addr string) string {
	return strings.NewReplacer("{name}", name, "{addr}", addr).Replace(string(l))
}

// topicSafe is a peer's address as a part of one topic level: without the port, which is another one at each connection.
func topicSafe(a net.Addr) string {
	text := a.String()
	if p, err := netip.ParseAddrPort(text); err == nil {
		text = p.Addr().Unmap().String()
	}
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune("/+#{}\x00", r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(text, "_"))
	if text == "" {
		return "_"
	}
	return text
}

// checkMaxLine reports what is wrong with max_line.
func checkMaxLine(t *conf.Table, max conf.Size) {
	if max < 16 || max > 16<<20 {
		t.Errorf("max_line", "max_line: want 16 bytes to 16MiB")
	}
}
