//go:build !linux

package blockstore

import (
	"errors"
	"os"
)

// allocate is not known here.
func allocate(*os.File, int64, int64) error { return errors.ErrUnsupported }
