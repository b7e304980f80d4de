package topic

import (
	"fmt"
	"strings"
	"testing"
)

func TestCacheIsBounded(t *testing.T) {
	var c Cache[string]
	same := func(name string) string { return name }
	pad := strings.Repeat("x", 4000)
	for i := range 10_000 {
		name := fmt.Sprint(pad, i)
		if got := c.Put(name, same); got != name {
			t.Fatal(got)
		}
		if got, ok := c.Get(name); !ok || got != name {
			t.Fatalf("%q is not known", name)
		}
		if c.bytes > cacheBytes || len(c.known) > cacheBytes/4000 {
			t.Fatalf("%d topics, %d bytes", len(c.known), c.bytes)
		}
	}
	for i := range 200_000 {
		c.Put(fmt.Sprint(i), same)
		if len(c.known) > cacheTopics {
			t.Fatal(len(c.known))
		}
	}
}
