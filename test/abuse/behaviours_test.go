package abuse

import "testing"

func behaviours(t *testing.T, tg *target) {}
