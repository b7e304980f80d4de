package exec

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"edged"
)

// TestPoison: the delivery is split down to the bad rows, and no row is given to the program twice for it.
func TestPoison(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`while IFS= read -r row; do
		printf '%s\n' "$row" >>rows
		case $row in *'"n":3,'*) echo error odd;; *'"n":8,'*) echo error;; *) echo ok;; esac
	done`), e)
	var dead []string
	turn := []edged.Delivery{delivery(0, 10, ""), delivery(10, 3, "")}
	for len(turn) > 0 { // as the writer does
		done, _, err := s.Write(t.Context(), turn)
		turn = turn[done:]
		if err == nil {
			continue
		}
		if edged.ClassOf(err) != edged.Poison {
			t.Fatal(err)
		}
		r := turn[0].Rows
		if mid := r.Len() / 2; mid > 0 {
			turn = append([]edged.Delivery{{Rows: r.Slice(0, mid)}, {Rows: r.Slice(mid, r.Len())}}, turn[1:]...)
			continue
		}
		dead = append(dead, fmt.Sprint(r.At[0].Off, " ", err))
		turn = turn[1:]
	}
	if want := []string{"3 sh refuses it: odd", "8 sh refuses it"}; !slices.Equal(dead, want) {
		t.Errorf("dead are %q, want %q", dead, want)
	}
	if got := numbers(t, filepath.Join(e.DataDir, "rows")); !slices.Equal(got, upTo(13)) {
		t.Errorf("the program got %v", got)
	}
}

// TestRetry: only the row that was put off comes again.
func TestRetry(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`while IFS= read -r row; do
		case $row in *'"n":1,'*) if ! [ -e ready ]; then echo retry the disk is full; continue; fi;; esac
		printf '%s\n' "$row" >>rows; echo ok
	done`), e)
	for range 2 {
		err := deliver(t, s, delivery(0, 4, ""))
		if err == nil || edged.ClassOf(err) != edged.Retryable || err.Error() != "sh asks for rows again later: the disk is full" {
			t.Fatal(err)
		}
		s.Close()
	}
	write(t, filepath.Join(e.DataDir, "ready"), "")
	if err := deliver(t, s, delivery(0, 4, "")); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, filepath.Join(e.DataDir, "rows")); !slices.Equal(got, []int{0, 2, 3, 1}) {
		t.Errorf("the rows are %v", got)
	}
}

// TestTheSameRowsElsewhere: only what was answered counts: same positions with other bytes, or of another stream, are new.
func TestTheSameRowsElsewhere(t *testing.T) {
	e := quiet(t)
	s := open(t, config(`while IFS= read -r row; do printf '%s\n' "$row" >>rows; echo ok; done`), e)
	other := delivery(0, 2, "")
	other.Rows.Stream = "t"
	if err := deliver(t, s, delivery(0, 2, ""), delivery(0, 2, "x"), other); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, filepath.Join(e.DataDir, "rows")); !slices.Equal(got, []int{0, 1, 0, 1, 0, 1}) {
		t.Errorf("the rows are %v", got)
	}
}
