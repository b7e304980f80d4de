package passwd

import (
	"errors"
	"fmt"
	"strings"
)

// File is what a password file says. It does not change, and can be used by many goroutines.
type File struct {
	users map[string]hash
	decoy hash // what a user is checked against who is not in the file
}

// Problem is what is wrong with a line, counted from 1.
type Problem struct {
	Line int
	Text string
}

// Parse reads a password file. The file has the users whose lines are right; of a user who is there twice it has none. It is
// never nil.
func Parse(text []byte) (*File, []Problem) {
	f := &File{users: map[string]hash{}}
	var problems []Problem
	first, number := map[string]int{}, 0
	for line := range strings.Lines(string(text)) {
		number++
		problem := func(format string, args ...any) {
			problems = append(problems, Problem{number, fmt.Sprintf(format, args...)})
		}
		name, rest, found := split(line)
		switch {
		case name == "" && !found:
			continue
		case !found:
			problem("there is no colon: a line is USER:HASH, as edged passwd and mosquitto_passwd write it")
			continue
		}
		if err := CheckUser(name); err != nil {
			problem("%v", err)
			continue
		}
		if before, twice := first[name]; twice {
			delete(f.users, name)
			problem("user %q is in line %d already, and neither line counts; delete one of them", name, before)
			continue
		}
		first[name] = number
		h, err := parseHash(rest)
		switch {
		case rest == "":
			problem("user %q has no password: set one with edged passwd FILE USER", name)
		case errors.Is(err, errPlain):
			problem("the password of user %q stands here as it is: replace it with edged passwd FILE USER, or, if no line of the file "+
				"is hashed yet, replace all with mosquitto_passwd -U FILE", name)
		case err != nil:
			problem("user %q cannot log in, %v; set the password again with edged passwd FILE USER", name, err)
		default:
			f.users[name] = h
		}
	}
	f.decoy = decoy(f.users)
	return f, problems
}

// split takes a line apart, without the blanks around its parts, as Mosquitto does. Blank lines and comments have no name and
// found is false; so has a line without a colon, but for its name.
func split(line string) (name, rest string, found bool) {
	line = strings.Trim(line, blanks)
	if strings.HasPrefix(line, "#") {
		return "", "", false
	}
	name, rest, found = strings.Cut(line, ":")
	return strings.Trim(name, blanks), strings.Trim(rest, blanks), found
}

const blanks = " \t\r\n\v\f"

// decoy makes a hash that costs what most users' cost.
func decoy(users map[string]hash) hash {
	count, usual := map[int]int{}, DefaultIterations
	for _, h := range users {
		count[h.iterations]++
	}
	for n := range count {
		if count[n] > count[usual] || count[n] == count[usual] && n > usual {
			usual = n
		}
	}
	return hash{iterations: usual, salt: make([]byte, saltLen), key: make([]byte, keyLen)}
}

// Check says whether a password is the user's. It computes for as long as the iterations of the file ask, on the caller's
// goroutine, also if there is no such user. An empty password never fits: it is what a client has that sends none.
func (f *File) Check(user, password string) bool {
	h, known := f.users[user]
	if !known {
		h = f.decoy
	}
	return h.fits(password) && known && password != ""
}

// Entry returns the hash of a user. While it is the same text, the password is the same.
func (f *File) Entry(user string) (hash string, ok bool) {
	h, ok := f.users[user]
	if !ok {
		return "", false
	}
	return h.String(), true
}

// Len is how many users can log in.
func (f *File) Len() int { return len(f.users) }
