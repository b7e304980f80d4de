package transport

import (
	"crypto/tls"
	"fmt"
	"io"
	"sync"
	"testing"
)

// TestManyAtOnce: connections of every kind, none of which gets another's bytes; what they leave is looked at by TestMain.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, s *server, config *tls.Config) {
		const many = 40
		go func() {
			for range many {
				c := <-s.conns
				go func() {
					_, _ = io.Copy(c, onlyReader{c}) // until the peer has gone
					_ = c.Close()
				}()
			}
		}()
		var wg sync.WaitGroup
		for i := range many {
			peer := s.dial(t, config)
			wg.Go(func() {
				for j := range 20 {
					text := fmt.Sprintf("%d of %d", j, i)
					if _, err := io.WriteString(peer, text); err != nil {
						t.Error(err)
						return
					}
					got := make([]byte, len(text))
					if _, err := io.ReadFull(peer, got); err != nil || string(got) != text {
						t.Errorf("%q, %v in place of %q", got, err, text)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}

// onlyReader hides the shortcuts that io.Copy would take.
type onlyReader struct{ io.Reader }
