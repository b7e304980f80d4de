package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strconv"

	"edged/internal/conf"
)

const (
	defaultMode = 0o660
	// maxPath is what sun_path holds with its NUL: 108 bytes on Linux (unix(7)), 104 on macOS.
	maxPath = 103
	// besidePath is what the name at which the socket is bound at first is longer than its directory: see bind.
	besidePath = len("/") + len(beside) + len("4294967295") + len("/s")
)

// socket completes the address of a socket of the file system.
func (a Address) socket(u *url.URL) (Address, error) {
	if u.Host != "" || extra(u) || !filepath.IsAbs(u.Path) || filepath.Clean(u.Path) != u.Path {
		return Address{}, errors.New(`has to be unix:// with the whole path of the socket; write "unix:///run/edged/mqtt.sock"`)
	}
	if len(u.Path) > maxPath || len(filepath.Dir(u.Path))+besidePath > maxPath {
		return Address{}, fmt.Errorf("has a path that is too long for a socket: at most %d bytes, and %d for its directory", maxPath, maxPath-besidePath)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Address{}, errors.New(`has options that cannot be read; write "?mode=0660&user=NAME&group=NAME" behind the path`)
	}
	a.Mode = defaultMode
	for key, values := range query {
		v := values[0]
		switch {
		case len(values) > 1:
			return Address{}, fmt.Errorf("has %s twice", key)
		case key == "mode":
			mode, err := strconv.ParseUint(v, 8, 32)
			if err != nil || mode > 0o777 {
				return Address{}, fmt.Errorf("has the mode %q; want three octal digits, like mode=0660", v)
			}
			a.Mode = fs.FileMode(mode)
		case key == "user" && v != "":
			a.User = v
		case key == "group" && v != "":
			a.Group = v
		case key == "user" || key == "group":
			return Address{}, fmt.Errorf("has %s= without a name", key)
		default:
			return Address{}, fmt.Errorf("has the unknown option %q%s; there are mode, user and group", key, conf.Suggest(key, []string{"mode", "user", "group"}))
		}
	}
	return a, nil
}
