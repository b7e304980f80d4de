package child

import (
	"os"
	"slices"
	"strings"
)

// private are variables that are for edged alone: systemd takes a message about them from whoever has them (sd_notify(3),
// sd_listen_fds(3)).
var private = []string{"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"}

// Environ is edged's own environment without what the service manager says to edged alone. Of a variable that is there twice
// the last one counts: what is appended replaces.
func Environ() (vars []string) {
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); !slices.Contains(private, name) {
			vars = append(vars, v)
		}
	}
	return vars
}
