package wave

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	"edged/internal/conf"
)

type noise struct {
	bounds
	Seed int `toml:"seed" doc:"another seed gives other values; pins of different names differ anyway"`
}

func newNoise() Config { return &noise{bounds: bounds{0, 1}} }

func (n *noise) Check(t *conf.Table) { n.bounds.check(t) }

func (n *noise) Digital() bool { return false }

func (n *noise) New(pin string) Wave {
	name := fnv.New64a()
	name.Write([]byte(pin))
	return &noiseOf{noise: n, key: name.Sum64() + uint64(n.Seed)*0x9e3779b97f4a7c15}
}

type noiseOf struct {
	*noise
	key uint64
	pcg rand.PCG
}

// At draws the value from the time itself, so that a sample that was missed does not shift the ones after it.
func (n *noiseOf) At(elapsed time.Duration) (float64, error) {
	n.pcg.Seed(n.key, uint64(elapsed))
	unit := float64(n.pcg.Uint64()>>11) / (1 << 53)
	return millionth(n.Min + (n.Max-n.Min)*unit), nil
}
