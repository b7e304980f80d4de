package edged

import (
	"errors"
	"time"
)

var (
	// ErrStopped is returned by Take when the gateway is stopping: the message stays with its publisher.
	ErrStopped = errors.New("stopping: nothing is taken in any more")
	// ErrFull is returned by Take when there was no room before the caller's time was up: the message stays with its
	// publisher. MQTT 5 says it as 0x97, quota exceeded.
	ErrFull = errors.New("the store is full")
)

// Class says what to do about an error. It is attached where the knowledge is.
type Class uint8

const (
	// Retryable is the default: try the same again after a backoff.
	Retryable Class = iota
	// Permanent: this part cannot work as it stands (bad credentials, a wrong URL). It waits, and is tried seldom.
	Permanent
	// Poison: this datum never will be taken. It is split down to single rows, which become dead letters.
	Poison
	// TooLarge is Poison that is refused for its size: what comes after it is made smaller, too.
	TooLarge
	// Limit: refused by a configured limit. It is counted as dropped, and passed.
	Limit
)

type classified struct {
	error
	class Class
	after time.Duration
}

func (c *classified) Unwrap() error { return c.error }

// WithClass attaches a class to err. A nil err stays nil.
func WithClass(err error, class Class) error {
	if err == nil {
		return nil
	}
	return &classified{error: err, class: class}
}

// RetryAfter marks err as retryable, not before d has passed (HTTP's Retry-After).
func RetryAfter(err error, d time.Duration) error {
	if err == nil {
		return nil
	}
	return &classified{error: err, after: d}
}

// ClassOf returns the outermost class in err's chain; Retryable if there is none.
func ClassOf(err error) Class {
	var c *classified
	if errors.As(err, &c) {
		return c.class
	}
	return Retryable
}

// AfterOf returns the wait that RetryAfter asked for, or 0.
func AfterOf(err error) time.Duration {
	var c *classified
	if errors.As(err, &c) {
		return c.after
	}
	return 0
}
