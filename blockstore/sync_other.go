//go:build !linux

package blockstore

import (
	"os"

	"edged/internal/durable"
)

func syncData(f *os.File) error { return durable.Sync(f) }
