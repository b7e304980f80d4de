package broker

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/broker/index"
	"edged/internal/topic"

	"pgregory.net/rapid"
)

func newRoutes() *routes {
	rs := &routes{subs: index.New[*subscription](), maxLevels: 8, maxLength: 1000, seed: maphash.MakeSeed()}
	rs.changes.Store(1)
	return rs
}

// taker is a receiver with a name.
type taker string

func (*taker) Take(context.Context, *edged.Message, edged.Acker, uint64) error { return nil }

// Whatever was asked for before, in whatever order, and whatever has changed since: a route says what is so now, and what is kept is bounded.
func TestRoutesAgainstTheDefinition(t *testing.T) {
	level := rapid.SampledFrom([]string{"a", "b", "c", "ä", "$x"})
	filter := rapid.Custom(func(t *rapid.T) string {
		f := rapid.SliceOfN(rapid.OneOf(level, rapid.Just("+")), 0, 3).Draw(t, "levels")
		if len(f) == 0 || rapid.Bool().Draw(t, "hash") {
			f = append(f, "#")
		}
		return strings.Join(f, "/")
	})
	rapid.Check(t, func(t *rapid.T) {
		rs := newRoutes()
		var room route
		var subs []*subscription
		type attached struct {
			*attachment
			detach func()
		}
		var receivers []attached
		made := 0
		t.Repeat(map[string]func(*rapid.T){
			"subscribe": func(t *rapid.T) {
				made++
				sub := &subscription{s: &session{id: fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "session"), "/", made)}, filter: filter.Draw(t, "filter"), number: uint64(made)}
				sub.grant = grantOf(sub)
				if rapid.Bool().Draw(t, "shared") {
					sub.filter = share + "g/" + sub.filter
				}
				sub.key = rs.subs.Add(sub.filter, sub)
				subs = append(subs, sub)
				rs.changed()
			},
			"unsubscribe": func(t *rapid.T) {
				if len(subs) == 0 {
					t.Skip("there is no subscription")
				}
				i := rapid.IntRange(0, len(subs)-1).Draw(t, "subscription")
				rs.subs.Remove(subs[i].filter, subs[i].key)
				subs = slices.Delete(subs, i, i+1)
				rs.changed()
			},
			"attach": func(t *rapid.T) {
				a := &attachment{filters: []string{filter.Draw(t, "filter")}, h: new(taker)}
				receivers = append(receivers, attached{a, rs.attach(a)})
			},
			"detach": func(t *rapid.T) {
				if len(receivers) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(receivers)-1).Draw(t, "receiver")
				receivers[i].detach()
				receivers = slices.Delete(receivers, i, i+1)
			},
			"publish": func(t *rapid.T) {
				for _, name := range rapid.SliceOf(rapid.Custom(func(t *rapid.T) string {
					return strings.Join(rapid.SliceOfN(level, 1, 3).Draw(t, "levels"), "/")
				})).Draw(t, "names") {
					for _, r := range []*route{rs.of(name), rs.ofBytes([]byte(name), new(route))} {
						var to []edged.Handler
						for _, a := range receivers {
							if a.wants(name) {
								to = append(to, a.h)
							}
						}
						single, shared := 0, 0
						for _, sub := range subs {
							if topic.Match(plain(sub.filter), name) {
								if plain(sub.filter) == sub.filter {
									single++
								} else {
									shared++
								}
							}
						}
						members := 0
						for _, m := range r.shared {
							members += len(m)
						}
						if r.name != name || r.wrong != nil || !slices.Equal(r.to, to) || len(r.subs) != single || members != shared {
							t.Fatalf("%q: %+v, want %d receivers, %d and %d subscribers", name, r.circle, len(to), single, shared)
						}
					}
				}
			},
			"others": func(t *rapid.T) { // more than are kept, and some that are not topics
				from := rapid.IntRange(0, 1000).Draw(t, "from")
				for i := range 2 * recentSets {
					rs.ofBytes(fmt.Append(nil, "others/", from+i), &room)
				}
				if rs.of("a/+").wrong == nil || !rs.of("").malformed || rs.of("$SYS/x").wrong != errReserved || rs.of(strings.Repeat("x/", 9)).wrong != errLevels {
					t.Fatal("no topic")
				}
			},
		})
	})
}

func (rc *recent) count() (n, bytes int) {
	for i := range rc {
		for w := range rc[i].routes {
			if r := rc[i].routes[w].Load(); r != nil {
				n, bytes = n+1, bytes+96+len(r.name)
			}
		}
	}
	return n, bytes
}

// However many topics there are, and however long, what is kept of them is bounded; and those that are used stay, whoever invents a new one for each message.
func TestNewTopicsTakeLittleFromOthers(t *testing.T) {
	rs := newRoutes()
	rs.maxLength = 65535
	a := &attachment{filters: []string{"#"}, h: new(taker)}
	rs.attach(a)
	const used = recentSets // a quarter of what there is room for
	hot := make([]string, used)
	for i := range hot {
		hot[i] = fmt.Sprint("site/", i)
	}
	there := func() (n int) {
		for _, name := range hot {
			if r := rs.recent.get(maphash.String(rs.seed, name)); r != nil && r.name == name {
				n++
			}
		}
		return n
	}
	for range 20 * comesIn {
		for _, name := range hot {
			rs.of(name)
		}
	}
	if n := there(); n < used*98/100 {
		t.Errorf("%d of %d topics are kept although there are no others", n, used)
	}
	pad := strings.Repeat("x", 200)
	for i := range 200 * used {
		rs.of(fmt.Sprint(pad, i))
		rs.of(hot[i%used])
	}
	if n := there(); n < used*9/10 {
		t.Errorf("%d of %d topics are kept among as many messages to new ones", n, used)
	}
	if n, bytes := rs.recent.count(); n > recentSets*recentWays || bytes > 1<<20 {
		t.Errorf("%d topics in %d bytes", n, bytes)
	}
	long := strings.Repeat("x", maxRecent+1)
	if rs.of(long); rs.recent.get(maphash.String(rs.seed, long)) != nil {
		t.Error("a long topic is kept")
	}
}

// Circles take the place of others when there are too many different ones, and the latest subscribers are found all the same.
func TestCirclesAreBounded(t *testing.T) {
	rs := newRoutes()
	for i := range 10_000 {
		sub := &subscription{s: &session{id: fmt.Sprint(i)}, filter: fmt.Sprint("to/", i), number: uint64(i + 1)}
		sub.grant = grantOf(sub)
		rs.subs.Add(sub.filter, sub)
	}
	rs.changed()
	for i := range 10_000 {
		name := fmt.Sprint("to/", i)
		if r := rs.of(name); len(r.subs) != 1 || r.subs[0].s.id != fmt.Sprint(i) {
			t.Fatalf("%s: %+v", name, r.circle)
		}
		if rs.circles.bytes > maxCircles || len(rs.circles.known) > maxCircles/400 {
			t.Fatalf("%d circles, %d bytes", len(rs.circles.known), rs.circles.bytes)
		}
	}
	if rs.of("to/7").circle == rs.of("to/8").circle || rs.of("nobody/1").circle != rs.of("nobody/2").circle {
		t.Error("topics share what is not the same, or do not what is")
	}
}

func TestANewTopicAllocatesItsName(t *testing.T) {
	rs := newRoutes()
	var room route
	rs.attach(&attachment{filters: []string{"site/#"}, h: new(taker)})
	name := []byte("site/7/gpio/000000")
	next := func() { // counts in the name
		for i := len(name) - 1; ; i-- {
			if name[i]++; name[i] <= '9' {
				return
			}
			name[i] = '0'
		}
	}
	if n := testing.AllocsPerRun(1000, func() { next(); rs.ofBytes(name, &room) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(1000, func() { rs.ofBytes([]byte("site/1"), &room) }); n > 0 {
		t.Errorf("%v allocations for a known one", n)
	}
}

func BenchmarkRoute(b *testing.B) {
	for _, topics := range []int{10, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(topics), func(b *testing.B) {
			rs := newRoutes()
			var room route
			rs.attach(&attachment{filters: []string{"site/#"}, h: new(taker)})
			names := make([][]byte, topics)
			for i := range names {
				names[i] = fmt.Append(nil, "site/", i%10, "/gpio/", i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				rs.ofBytes(names[i%topics], &room)
			}
		})
	}
}
