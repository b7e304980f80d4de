package acl

import (
	"strings"
	"sync"
)

// Rules are what an ACL file says. They do not change, and can be used by many goroutines. nil Rules are no file: they allow
// everybody everything.
type Rules struct {
	topics   map[string]*set // the topic lines of each user; "" is who has none
	patterns []rule          // those with %u or %c
	common   set             // those without
	byUser   bool            // some pattern has %u
	byClient bool            // some pattern has %c

	mu       sync.Mutex
	profiles map[who]*Profile
}

// who is whom a profile is for: as much of the names as makes a difference.
type who struct {
	user, client string
	named        bool // there is a user name
}

// maxProfiles bounds what names that clients choose can make Rules remember. Past it, all are forgotten.
const maxProfiles = 4096

func (r *Rules) pattern(p rule) {
	u, c := strings.Contains(p.filter, "%u"), strings.Contains(p.filter, "%c")
	if !u && !c {
		r.common.add(p)
		return
	}
	r.patterns = append(r.patterns, p)
	r.byUser, r.byClient = r.byUser || u, r.byClient || c
}

// ready is called once when all lines are read.
func (r *Rules) ready() { r.profiles = map[who]*Profile{} }

// For returns what a client may do. user "" is a client without a user name. While no pattern has %c in it, a user's profile is
// the same pointer for all clients, and without %u too all users who are not in the file share one. With more than some
// thousands of different ones, a profile may be made anew: equal, but another pointer. It never returns nil, unless the Rules are.
func (r *Rules) For(user, client string) *Profile {
	if r == nil {
		return nil
	}
	key := who{named: user != ""}
	own := r.topics[user]
	if own != nil || r.byUser {
		key.user = user
	}
	if r.byClient {
		key.client = client
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.profiles[key]; p != nil {
		return p
	}
	if len(r.profiles) >= maxProfiles {
		clear(r.profiles)
	}
	p := r.profile(own, user, client)
	r.profiles[key] = p
	return p
}

func (r *Rules) profile(own *set, user, client string) *Profile {
	p := &Profile{}
	if own != nil {
		p.sets = append(p.sets, own)
	}
	p.sets = append(p.sets, &r.common)
	var filled set
	for _, pattern := range r.patterns {
		if filter, ok := fill(pattern, user, client); ok {
			filled.add(rule{pattern.access, filter})
		}
	}
	p.sets = append(p.sets, &filled)
	return p
}

// fill puts the names into a pattern. A name with a wildcard in it fills none: no topic has such a name in it. A name that could
// make more of a pattern than one level of one client's fills only a pattern that denies, so that nobody gets around it.
func fill(p rule, user, client string) (filter string, ok bool) {
	for mark, name := range map[string]string{"%u": user, "%c": client} {
		switch {
		case !strings.Contains(p.filter, mark):
		case strings.ContainsAny(name, "+#"), mark == "%u" && name == "":
			return "", false
		case p.access != deny && (name == "" || strings.Contains(name, "/")):
			return "", false
		}
	}
	filter = strings.NewReplacer("%u", user, "%c", client).Replace(p.filter) // one pass: a name with %u in it stays as it is
	if p.access != deny && filter[0] == '$' && p.filter[0] != '$' {
		return "", false
	}
	return filter, true
}
