//go:build !linux

package clock

// Trusted is true where the system cannot be asked.
func Trusted() bool { return true }
