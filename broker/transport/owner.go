package transport

import (
	"fmt"
	"os/user"
	"strconv"
)

// owner looks up a user and a group, which may be names or numbers; -1, which chown(2) leaves alone, for an empty one.
func owner(name, group string) (uid, gid int, err error) {
	uid, err = number(name, func(name string) (string, error) {
		u, err := user.Lookup(name)
		if err != nil {
			return "", fmt.Errorf("there is no user %q on this machine", name)
		}
		return u.Uid, nil
	})
	if err != nil {
		return 0, 0, err
	}
	gid, err = number(group, func(name string) (string, error) {
		g, err := user.LookupGroup(name)
		if err != nil {
			return "", fmt.Errorf("there is no group %q on this machine", name)
		}
		return g.Gid, nil
	})
	return uid, gid, err
}

func number(name string, lookup func(string) (string, error)) (int, error) {
	if name == "" {
		return -1, nil
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	id, err := lookup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(id)
}
