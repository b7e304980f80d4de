package limit

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestOf(t *testing.T) {
	for in, want := range map[string]string{
		"10.0.0.1": "10.0.0.1", "::ffff:10.0.0.1": "10.0.0.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "fe80::1%eth0": "fe80::",
	} {
		if got := Of(netip.MustParseAddr(in)); got != netip.MustParseAddr(want) {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if Of(netip.Addr{}).IsValid() {
		t.Error("no address is an address")
	}
}

func TestEachAddressHasABucketOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, b := NewRate(1, 2), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
		undo, ok := r.Reserve(a)
		if !ok || !r.Take(a) || r.Take(a) {
			t.Error("two at once, and no third")
		}
		if undo(); !r.Take(a) || r.Take(a) {
			t.Error("what was given back can be taken again, once")
		}
		if _, ok := r.Reserve(a); ok {
			t.Error("there is none")
		}
		if !r.Take(b) {
			t.Error("another address has its own")
		}
		time.Sleep(time.Second)
		if !r.Take(a) || r.Take(a) {
			t.Error("one more after a second")
		}
		if _, ok := r.Reserve(netip.Addr{}); !ok || !r.Take(netip.Addr{}) || !(&Rate{}).Take(a) {
			t.Error("no limit for what is no address, and without one")
		}
	})
}

func TestManyAddressesAreForgottenAgain(t *testing.T) {
	r := NewRate(1000, 1)
	var b [4]byte
	for i := range uint32(3 * maxAddresses) {
		binary.BigEndian.PutUint32(b[:], i)
		r.Take(netip.AddrFrom4(b))
	}
	if len(r.known) > maxAddresses {
		t.Errorf("%d are known", len(r.known))
	}
}

func TestCount(t *testing.T) {
	var c Count
	a := netip.MustParseAddr("10.0.0.1")
	for i, want := range []bool{true, true, false} {
		if c.Take(a, 2) != want {
			t.Errorf("%d: two, and no third", i)
		}
	}
	if c.Give(a); !c.Take(a, 2) {
		t.Error("one was given back")
	}
	c.Give(a)
	c.Give(a)
	c.Give(a)
	if len(c.have) != 0 {
		t.Error(c.have)
	}
}
