// Package lately says what was needed lately, for memory that is used again: small needs stand between large ones, and to give memory up after each small one
// and grow anew costs more than what it is used for. So it is given up when all of the latest needs were small.
package lately

// Rounds are so many that a burst is over when none of them needed much.
const Rounds = 64

// Most is the largest need of the latest rounds. The zero value is ready; it is used by one goroutine.
type Most struct{ rounds, most int }

// Note notes what a round has needed. After every so many rounds over is true, and most the largest need of them: whoever holds much more gives it up.
func (m *Most) Note(need int) (most int, over bool) {
	m.rounds, m.most = m.rounds+1, max(m.most, need)
	if m.rounds < Rounds {
		return m.most, false
	}
	most = m.most
	*m = Most{}
	return most, true
}
