//go:build !edged_noepochs

package clock

import "time"

// Step is the smallest jump of the wall clock, against the monotonic one, that begins a new epoch.
const Step = 2 * time.Second
