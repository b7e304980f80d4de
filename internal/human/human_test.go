package human

import (
	"testing"
	"time"
)

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 1204: "1,204", 1234567: "1,234,567", -5: "-5", -999: "-999", -1000: "-1,000"} {
		if got := Count(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	if got := Plural(1, "row", "rows") + Plural(1204, "row", "rows"); got != "1 row1,204 rows" {
		t.Error(got)
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 3_100_000: "3.1 MB", 9_949: "9.9 kB", 9_951: "10 kB", 31_000: "31 kB", 999_600: "1.0 MB", 999_400: "999 kB",
		1 << 30: "1 GiB", 512 << 20: "512 MiB", 512<<20 + 1: "537 MB", 2_000_000_000_000: "2.0 TB", 5_000_000_000: "5.0 GB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		used, limit int64
		want        string
	}{
		{3_100_000, 10_000_000, "3.1 MB of 10 MB"}, {67_000_000, 64 << 20, "63.9 MiB of 64 MiB"}, {5 << 20, 1 << 30, "5.0 MiB of 1 GiB"},
		{1 << 29, 1 << 30, "0.5 GiB of 1 GiB"}, {0, 0, "0 B of 0 B"},
	} {
		if got := Of(c.used, c.limit); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestTime(t *testing.T) {
	now := time.Date(2026, 11, 21, 0, 30, 0, 0, time.Local)
	for _, c := range []struct {
		ago  time.Duration
		want string
	}{{10 * time.Minute, "00:20"}, {time.Hour, "2026-11-20 23:30"}, {365 * 24 * time.Hour, "2025-11-21 00:30"}} {
		if got := Time(now.Add(-c.ago), now); got != c.want {
			t.Errorf("%v ago: %s, want %s", c.ago, got, c.want)
		}
	}
}
