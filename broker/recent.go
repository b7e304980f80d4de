package broker

import (
	"math/rand/v2"
	"sync/atomic"
)

// recent keeps routes of topics that were used lately. What is not in it is worked out again, so it changes nothing but the work; and that is little, so
// it need not hold all of many topics: it is small enough for a processor's own memory, and it is asked without a lock. It is never
// emptied. Where there is no room, one of several topics comes in, and one goes that was not used since the last came. So
// neither a hundred thousand topics that come in turns nor somebody who invents a new one for each message take much from the others.
//
// A topic stands in one set, by its hash. Who finds a route compares the name, so that it does no harm if two write at the same time.
type recent [recentSets]recentSet

type recentSet struct {
	tags   [recentWays]atomic.Uint32 // of the routes, so that most others are not looked at; 0: none
	routes [recentWays]atomic.Pointer[route]
}

// 2,048 topics of up to 256 bytes: 0.3 MiB if they are of usual length, and 0.9 MiB at most. A longer one is worked out each time.
const (
	recentSets = 512
	recentWays = 4
	maxRecent  = 256
	comesIn    = 8 // one of so many, where there is no room
)

// of is where the topics of a hash stand.
func (rc *recent) of(hash uint64) (s *recentSet, tag uint32) {
	return &rc[uint32(hash)%recentSets], uint32(hash>>32) | 1
}

// get returns the route of a topic of that hash, perhaps another's, perhaps out of date; nil if there is none.
func (rc *recent) get(hash uint64) *route {
	s, tag := rc.of(hash)
	for w := range s.tags {
		if s.tags[w].Load() == tag {
			return s.routes[w].Load()
		}
	}
	return nil
}

// use notes that a route was used. One that is used again and again is not written to.
func (r *route) use() {
	if !r.used.Load() {
		r.used.Store(true)
	}
}

// room is where a route that was not found may be put: in the place of one of the same topic, where there is room, or if it is its turn; -1: nowhere.
func (rc *recent) room(hash uint64, name string, changes uint64) (way int) {
	if len(name) > maxRecent {
		return -1
	}
	s, tag := rc.of(hash)
	way = recentWays
	for w := range s.tags {
		if t := s.tags[w].Load(); t == tag {
			return w
		} else if t == 0 {
			way = min(way, w)
		}
	}
	if way < recentWays {
		return way
	}
	dice := rand.Uint32()
	if dice%comesIn > 0 {
		return -1
	}
	return s.victim(int(dice/comesIn%recentWays), changes)
}

// put puts a route where there is room for it.
func (rc *recent) put(hash uint64, way int, r *route) {
	s, tag := rc.of(hash)
	s.routes[way].Store(r)
	s.tags[way].Store(tag)
}

// victim is the place of one that is out of date, or was not used; the others have to be used once more before the next comes.
func (s *recentSet) victim(from int, changes uint64) int {
	for i := range recentWays {
		w := (from + i) % recentWays
		if r := s.routes[w].Load(); r == nil || r.changes != changes || !r.used.Swap(false) {
			return w
		}
	}
	return from
}
