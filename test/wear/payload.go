package wear

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// payload is a reading as JSON, of so many bytes, or more if it does not fit.
func payload(r *rand.Rand, bytes int) []byte {
	text := fmt.Sprintf(`{"value":%.2f}`, 20+5*r.NormFloat64())
	if pad := bytes - len(text); pad > 0 {
		text = text[:len(text)-1] + strings.Repeat(" ", pad) + "}"
	}
	return []byte(text)
}
