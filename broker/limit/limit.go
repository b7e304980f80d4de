// Package limit bounds what each address of the network may do: how many things at a time, and how many a second.
package limit

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxAddresses bounds the memory: past it, those are forgotten that have done nothing lately, and then all.
const maxAddresses = 4096

// Of is whom an address is counted for: itself, or in IPv6 its network of 64 bits, which is what one household has. Whatever is no
// address (a unix socket) is the zero value, which no limit applies to.
func Of(ip netip.Addr) netip.Addr {
	ip = ip.Unmap()
	if !ip.Is6() {
		return ip
	}
	p, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr()
}

// Rate is a token bucket for each address. The zero value lets everything pass. Its methods can be called from any goroutine.
type Rate struct {
	perSecond rate.Limit
	burst     int

	mu    sync.Mutex
	known map[netip.Addr]*rate.Limiter
}

// NewRate lets each address have burst at once, and perSecond in the long run.
func NewRate(perSecond float64, burst int) *Rate {
	return &Rate{perSecond: rate.Limit(perSecond), burst: burst, known: map[netip.Addr]*rate.Limiter{}}
}

// Take takes a token; false if there is none.
func (r *Rate) Take(ip netip.Addr) bool {
	l := r.of(ip)
	return l == nil || l.Allow()
}

// Reserve takes a token, which undo gives back; ok is false if there is none.
func (r *Rate) Reserve(ip netip.Addr) (undo func(), ok bool) {
	l := r.of(ip)
	if l == nil {
		return func() {}, true
	}
	if !l.Allow() {
		return nil, false
	}
	return func() { l.AllowN(time.Now(), -1) }, true // a Reservation cannot be cancelled once its time has come
}

func (r *Rate) of(ip netip.Addr) *rate.Limiter {
	if r.burst == 0 || !ip.IsValid() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.known[ip]
	if l == nil {
		if len(r.known) >= maxAddresses {
			r.forget()
		}
		l = rate.NewLimiter(r.perSecond, r.burst)
		r.known[ip] = l
	}
	return l
}

func (r *Rate) forget() {
	for ip, l := range r.known {
		if l.Tokens() >= float64(r.burst) {
			delete(r.known, ip)
		}
	}
	if len(r.known) >= maxAddresses {
		clear(r.known)
	}
}

// Count counts things that each address has at a time. The zero value is ready. It is not safe for concurrent use.
type Count struct{ have map[netip.Addr]int }

// Take counts one more; false, and nothing is counted, if the address has max already.
func (c *Count) Take(ip netip.Addr, max int) bool {
	if max <= 0 || !ip.IsValid() {
		return true
	}
	if c.have == nil {
		c.have = map[netip.Addr]int{}
	}
	if c.have[ip] >= max {
		return false
	}
	c.have[ip]++
	return true
}

// Give counts one less. It must have been counted.
func (c *Count) Give(ip netip.Addr) {
	if n, counted := c.have[ip]; counted {
		if n--; n == 0 {
			delete(c.have, ip)
		} else {
			c.have[ip] = n
		}
	}
}
