//go:build !linux

package chardev

import (
	"errors"
	"log/slog"

	"edged"
)

// Driver cannot open anything here: the character devices are Linux's.
type Driver struct{}

// New makes a Driver whose Open fails.
func New(*slog.Logger) *Driver { return &Driver{} }

// Open returns a permanent error.
func (*Driver) Open(string, string, bool) (*Line, error) {
	return nil, edged.WithClass(errors.New(`driver "periph" works on Linux only: no pin can be read; set driver = "sim" in [gpio] to simulate them`), edged.Permanent)
}
