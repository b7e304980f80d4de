package spec

import (
	"context"

	"edged"
	"edged/internal/conf"
)

// Publisher is one connection to an MQTT broker. It is used by one goroutine at a time.
type Publisher interface {
	// Publish publishes the messages in their order, many at a time, and returns when the broker has acknowledged them: PUBACK
	// or PUBCOMP of an external one, the commit of the embedded one. done counts the first of them that are; err, when
	// done < len(ms), says what kept ms[done]. Those behind it may have arrived or not. After an error the publisher is of no further
	// use, unless the error's class is edged.Poison: then it is about that message alone.
	//
	// ms is the caller's again when it returns; the payloads may still be read, and must not be changed.
	Publish(ctx context.Context, ms []edged.Message) (done int, err error)
	// Ready reports whether the connection still stands, as far as one can know without using it.
	Ready() bool
	// Close ends the connection.
	Close()
}

// Remote are the settings of an external broker.
type Remote interface {
	// Check reports what is wrong with them. name is the sink's, with which the client identifier is made if there is none.
	Check(t *conf.Table, name, dataDir string)
	// Address is the broker's host and port, as far as they can be told.
	Address() string
}

// Parts is implemented by a Config whose keys are in several structs, which share the table.
type Parts interface{ Parts() []any }

// PartsOf are the structs that the table of a sink is bound to.
func PartsOf(c Config) []any {
	if p, ok := c.(Parts); ok {
		return p.Parts()
	}
	return []any{c}
}
