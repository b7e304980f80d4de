//go:build edged_noepochs

package clock

import "math"

// Step is longer than any step: this program does not notice that its clock was set. It is for the controls of fault tests alone.
const Step = math.MaxInt64
