package topic

import "strings"

// Cache remembers what topics mean. It is bounded by their number and their bytes; past either it begins again, so that topics
// that never come again do not stay. The zero value is ready. It is used by one goroutine.
type Cache[T any] struct {
	known map[string]T
	bytes int
}

const (
	cacheTopics = 1 << 16
	cacheBytes  = 2 << 20
	cacheEntry  = 64 // what an entry takes besides its name, about
)

// Get returns what was put for a topic.
func (c *Cache[T]) Get(name string) (T, bool) {
	v, ok := c.known[name]
	return v, ok
}

// Put remembers what v says of a topic. v gets a copy of the name.
func (c *Cache[T]) Put(name string, v func(name string) T) T {
	if c.known == nil || len(c.known) >= cacheTopics || c.bytes+len(name)+cacheEntry > cacheBytes {
		c.known, c.bytes = map[string]T{}, 0
	}
	name = strings.Clone(name)
	value := v(name)
	c.known[name] = value
	c.bytes += len(name) + cacheEntry
	return value
}
