package sinktest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"
	"weak"

	"edged"

	"pgregory.net/rapid"
)

func inOrder(t *testing.T, fresh func(*testing.T) Harness) {
	g := &gateway{Harness: fresh(t)}
	g.open(t, nil)
	for _, n := range []int{1, 3, 0, 20, 1} {
		g.mustDeliver(t, n)
	}
	g.check(t)
}

func reopens(t *testing.T, fresh func(*testing.T) Harness) {
	g := &gateway{Harness: fresh(t)}
	for range 4 {
		g.open(t, nil)
		g.mustDeliver(t, 2)
		g.close(t)
	}
	g.check(t)
}

func sameObject(t *testing.T, fresh func(*testing.T) Harness) {
	g := &gateway{Harness: fresh(t)}
	g.open(t, nil)
	for range 3 {
		g.mustDeliver(t, 2)
		if err := errors.Join(g.sink.Close(), g.sink.Open(t.Context(), g.receipt, nil)); err != nil {
			t.Fatal(err)
		}
	}
	g.check(t)
}

// uncommitted is a kill between the end of the last Write of a turn and its commit, twice.
func uncommitted(t *testing.T, fresh func(*testing.T) Harness) {
	g := &gateway{Harness: fresh(t)}
	g.open(t, nil)
	g.mustDeliver(t, 2)
	left := g.turn(3)
	for range 2 {
		left = left[g.killed(t, left, func(done int) bool { return done == len(left) }):]
		g.close(t)
		g.open(t, left)
	}
	if _, err := g.deliver(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	g.mustDeliver(t, 1)
	g.check(t)
}

// anyCrashes kills the gateway after any call of Write, before its commit.
func anyCrashes(t *testing.T, fresh func(*testing.T) Harness) {
	rapid.Check(t, func(rt *rapid.T) {
		g := &gateway{Harness: fresh(t)}
		defer func() {
			if g.sink != nil { // the case has failed
				g.sink.Close()
			}
		}()
		g.open(rt, nil)
		for range rapid.IntRange(1, 6).Draw(rt, "turns") {
			left := g.turn(rapid.IntRange(1, 5).Draw(rt, "deliveries"))
			for range rapid.IntRange(0, 2).Draw(rt, "kills") {
				commits := rapid.IntRange(0, 4).Draw(rt, "commits")
				left = left[g.killed(rt, left, func(int) bool { commits--; return commits < 0 }):]
				g.close(rt)
				g.open(rt, left)
			}
			if _, err := g.deliver(rt.Context(), left); err != nil {
				rt.Fatalf("%v", err)
			}
		}
		g.check(rt)
	})
}

// killed calls Write and commits, until now says that the gateway is killed between the two; done counts what the target
// has then. It returns how many deliveries were committed as done.
func (g *gateway) killed(t failer, turn []edged.Delivery, now func(done int) bool) (done int) {
	t.Helper()
	for done < len(turn) {
		n, receipt, err := g.sink.Write(t.Context(), turn[done:])
		if err != nil {
			t.Fatalf("%v", err)
		}
		if now(done + n) {
			return done
		}
		if receipt != nil {
			g.receipt = slices.Clone(receipt)
		}
		done += n
	}
	return done
}

func refuses(t *testing.T, fresh func(*testing.T) Harness) {
	g := &gateway{Harness: fresh(t)}
	if g.Refuse == nil {
		t.Skip("this target cannot be made to refuse")
	}
	g.open(t, nil)
	g.mustDeliver(t, 1)
	turn := g.turn(5)
	accept := g.Refuse(turn[:2])
	done, err := g.deliver(t.Context(), turn)
	if done != 2 || err == nil || edged.ClassOf(err) != edged.Retryable {
		t.Fatalf("the target took 2 of 5 and then refused; write says %d, %v", done, err)
	}
	if again, err := g.deliver(t.Context(), turn[2:]); again != 0 || err == nil {
		t.Fatalf("the target still refuses; write says %d, %v", again, err)
	}
	g.close(t)
	g.open(t, turn[2:])
	accept()
	if _, err := g.deliver(t.Context(), turn[2:]); err != nil {
		t.Fatal(err)
	}
	g.check(t)
}

// retainsNothing looks whether the turn can be collected, and writes over its slices.
func retainsNothing(t *testing.T, fresh func(*testing.T) Harness) {
	g := &gateway{Harness: fresh(t)}
	g.open(t, nil)
	var kept []weak.Pointer[edged.Rows]
	for range 3 {
		turn := g.turn(4)
		if _, err := g.deliver(t.Context(), turn); err != nil {
			t.Fatal(err)
		}
		for i := range turn {
			kept = append(kept, weak.Make(turn[i].Rows))
			clear(turn[i].Rows.Cells)
			clear(turn[i].Rows.Names)
			turn[i] = edged.Delivery{}
		}
	}
	for range 2 { // what the first cycle finds weakly held is gone after the second
		runtime.GC()
	}
	for i, p := range kept {
		if p.Value() != nil {
			t.Errorf("the rows of delivery %d are still held", i)
		}
	}
	runtime.KeepAlive(g.sink)
	g.check(t)
}

// prompt is how long a cancelled Write may take: far longer than it needs, far shorter than any timeout.
const prompt = 5 * time.Second

func cancelled(t *testing.T, fresh func(*testing.T) Harness) {
	g := &gateway{Harness: fresh(t)}
	g.open(t, nil)
	g.mustDeliver(t, 1)
	turn := g.turn(2)
	ctx, cancel := context.WithCancel(t.Context())
	if g.Hang == nil {
		cancel()
		if done, err := g.deliver(ctx, turn); done != 0 || !errors.Is(err, context.Canceled) {
			t.Fatalf("write under a cancelled context says %d, %v", done, err)
		}
	} else {
		reached, release := g.Hang()
		ended := make(chan error, 1)
		go func() { _, err := g.deliver(ctx, turn); ended <- err }()
		<-reached
		cancel()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("write says %v", err)
			}
		case <-time.After(prompt):
			t.Errorf("write still hangs %v after its context has ended", prompt)
		}
		release()
	}
	g.close(t)
	g.open(t, turn)
	if _, err := g.deliver(t.Context(), turn); err != nil {
		t.Fatal(err)
	}
	g.check(t)
}
