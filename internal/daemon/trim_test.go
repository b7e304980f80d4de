package daemon

import (
	"context"
	"runtime/metrics"
	"testing"
	"time"

	"edged/test/await"
)

func held() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() - s[1].Value.Uint64()
}

func TestMemoryIsGivenBackWhenItIsQuiet(t *testing.T) {
	burst := make([][]byte, 0, 64)
	for range 64 {
		burst = append(burst, make([]byte, 1<<20))
	}
	for _, b := range burst {
		b[len(b)-1] = 1
	}
	before := held()
	if before < 64<<20 {
		t.Fatalf("the burst takes %d bytes only", before)
	}
	clear(burst)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- trim(ctx, 10*time.Millisecond) }()
	await.Soon(t, "it is given back", func() bool { return held() < before-48<<20 })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
