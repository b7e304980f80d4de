package acl

import "edged/internal/topic"

// Profile is what one client may do. It does not change, and can be used by many goroutines. A nil Profile allows everything.
type Profile struct {
	sets []*set // shared with other profiles
}

// set is some rules, by what they say.
type set struct {
	deny, read, write []string
}

func (s *set) add(r rule) {
	switch r.access {
	case deny:
		s.deny = append(s.deny, r.filter)
		return
	case read:
		s.read = append(s.read, r.filter)
	case write:
		s.write = append(s.write, r.filter)
	case readwrite:
		s.read = append(s.read, r.filter)
		s.write = append(s.write, r.filter)
	}
}

// MayWrite says whether the client may publish to a topic. The time that it takes grows with the number of its rules. It
// allocates nothing, and neither does MayRead.
func (p *Profile) MayWrite(name string) bool {
	if p == nil {
		return true
	}
	allowed := false
	for _, s := range p.sets {
		if matches(s.deny, name) {
			return false
		}
		allowed = allowed || matches(s.write, name)
	}
	return allowed
}

// MayRead says whether the client may be sent messages of a topic.
func (p *Profile) MayRead(name string) bool {
	if p == nil {
		return true
	}
	allowed := false
	for _, s := range p.sets {
		if matches(s.deny, name) {
			return false
		}
		allowed = allowed || matches(s.read, name)
	}
	return allowed
}

func matches(filters []string, name string) bool {
	for _, f := range filters {
		if topic.Match(f, name) {
			return true
		}
	}
	return false
}

// MaySubscribe says whether a subscription to a filter could bring the client anything. It is false if no rule lets it read a
// topic that the filter matches, or if everything that it may read there is denied by one rule. It can be true although several
// rules together deny all: whether a message is sent is for MayRead to say. The filter is without $share/GROUP/.
func (p *Profile) MaySubscribe(filter string) bool {
	if p == nil {
		return true
	}
	if p.denies(filter) {
		return false
	}
	for _, s := range p.sets {
		for _, r := range s.read {
			if topic.Overlap(r, filter) && !p.denies(r) {
				return true
			}
		}
	}
	return false
}

// denies says whether one rule denies everything that a filter matches.
func (p *Profile) denies(filter string) bool {
	for _, s := range p.sets {
		for _, d := range s.deny {
			if topic.Covers(d, filter) {
				return true
			}
		}
	}
	return false
}
