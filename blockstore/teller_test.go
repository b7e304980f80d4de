package blockstore

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"

	"edged"
)

// A small round, which the committer tells of itself, is told of behind the large ones that came before it.
func TestRoundsAreToldInTheirOrder(t *testing.T) {
	var tl teller
	end := tl.begin()
	var mu sync.Mutex
	var told []int
	hold := make(chan struct{})
	round := func(number, messages int, wait bool) finished {
		b := &edged.Block{Topic: make([]uint32, messages), Arrival: make([]int64, messages)}
		return finished{parcels: []edged.Parcel{{Block: b, Done: func(error) {
			if wait {
				<-hold
			}
			mu.Lock()
			told = append(told, number)
			mu.Unlock()
		}}}}
	}
	tl.tell(round(0, 1, false))
	if !slices.Equal(told, []int{0}) { // nobody else writes to it yet
		t.Errorf("%v is told when tell returns, want a small round", told)
	}
	tl.tell(round(1, 1000, true))
	tl.tell(round(2, 1, false))
	close(hold)
	end()
	tl.rounds = nil
	tl.tell(round(3, 1000, false)) // nobody runs
	if !slices.Equal(told, []int{0, 1, 2, 3}) {
		t.Errorf("told in the order %v", told)
	}
}

// Who is ready when a commit is asked for is in it, although the committer is the next to run: with one processor nothing else decides who that is.
func TestWhoIsReadyIsInTheCommit(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	s := open(t, t.TempDir(), nil)
	defer s.Close()
	f := &feed{name: "r"}
	s.AddSource("r", MemoryAndDisk, f)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	before := s.meter.commits.Get()
	const times, publishers = 20, 20
	for range times {
		for range 20 {
			runtime.Gosched() // until the committer has nothing to do
		}
		var all sync.WaitGroup
		all.Add(publishers)
		for range publishers {
			go func() {
				f.put(func(error) { all.Done() }, "x")
				s.Waiting()
			}()
		}
		all.Wait()
	}
	if n := s.meter.commits.Get() - before; n >= times*3/2 { // a goroutine may be taken off its processor at any time
		t.Errorf("%d commits, %d times %d publishers were ready at once", n, times, publishers)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
