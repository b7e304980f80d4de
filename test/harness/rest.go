package harness

import (
	"fmt"

	"edged/internal/daemon"
)

// waiting says what a gateway still has to do with what it has taken; nothing if it is at rest.
func waiting(s *daemon.Status) string {
	for _, r := range s.Receivers {
		if r.Blocks.Waiting > 0 {
			return fmt.Sprintf("receiver %s: %d blocks wait", r.Name, r.Blocks.Waiting)
		}
	}
	for _, st := range s.Streams {
		if st.Pending != 0 || st.Position == 0 {
			return fmt.Sprintf("stream %s: %+v", st.Stream, st.Status)
		}
	}
	for _, k := range s.Sinks {
		if len(k.Deliveries) == 0 {
			return fmt.Sprintf("sink %s: its writer has not come round", k.Name)
		}
		for _, d := range k.Deliveries {
			if d.Pending != 0 || d.Position == "" { // without a position it is not open, and knows of nothing that waits
				return fmt.Sprintf("sink %s: %+v", k.Name, d)
			}
		}
	}
	return ""
}
