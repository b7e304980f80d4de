package configs

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"edged/internal/conf"
)

// systemDir is where a gateway installed as a service keeps its data.
const systemDir = "/var/lib/edged"

// defaultDataDir is $STATE_DIRECTORY, which systemd sets from StateDirectory=, else the service's directory.
func defaultDataDir() string {
	if dir, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":"); dir != "" {
		return dir
	}
	return systemDir
}

// FindFile is where the configuration is if nobody says: $CONFIGURATION_DIRECTORY/edged.toml, which systemd sets from
// ConfigurationDirectory=, else /etc/edged/edged.toml.
func FindFile() string {
	if dir, _, _ := strings.Cut(os.Getenv("CONFIGURATION_DIRECTORY"), ":"); dir != "" {
		if path := filepath.Join(dir, "edged.toml"); exists(path) {
			return path
		}
	}
	return "/etc/edged/edged.toml"
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// checkDataDir reports a data_dir that edged could neither use nor make. It makes nothing.
func checkDataDir(root *conf.Table, dir string) {
	fi, err := os.Stat(dir)
	switch {
	case err == nil && !fi.IsDir():
		root.Placef("data_dir", "data_dir: %s is not a directory", dir)
	case err == nil && syscall.Access(dir, accessWrite) != nil:
		root.Placef("data_dir", "data_dir: %s cannot be written by this user; give it the directory (chown), or choose another%s", dir, UnitHint(dir))
	case err != nil:
		for up := filepath.Dir(dir); ; up = filepath.Dir(up) {
			if exists(up) {
				if syscall.Access(up, accessWrite) != nil {
					root.Placef("data_dir", "data_dir: %s does not exist, and this user may not make it in %s; make it, or choose another%s", dir, up, UnitHint(dir))
				}
				return
			}
			if up == filepath.Dir(up) {
				return
			}
		}
	}
}

const accessWrite = 2 | 1 // W_OK | X_OK

// UnitHint is what to add to the unit when a path outside of its directories is to be written, or "" outside of systemd.
func UnitHint(dir string) string {
	if os.Getenv("INVOCATION_ID") == "" {
		return ""
	}
	add := "ReadWritePaths=" + dir
	if strings.HasPrefix(dir, "/home/") || strings.HasPrefix(dir, "/root/") {
		add = "ProtectHome=no and, on a line of its own, " + add
	}
	return "; the service may write to its own directories only: run systemctl edit edged, and add below a line [Service] the line " + add
}
