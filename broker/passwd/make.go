package passwd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// DefaultIterations is for a small computer to which all devices come back at once after a restart. 1000 took 1.3 ms on a 2.5 GHz
// x86 (Go 1.26; 10000 took 14 ms); a Raspberry Pi needs several times as long, a 32-bit one much more. It is ten times what mosquitto_passwd 2.0 takes.
// Guessing is made hard by long passwords for devices, and by keeping the file to its owner.
const DefaultIterations = 1000

// maxLen is the longest user name or password that MQTT can carry, in bytes.
const maxLen = 65535

// CheckUser says what is wrong with a user name for a password file.
func CheckUser(name string) error {
	switch {
	case name == "":
		return errors.New("the user name is empty")
	case len(name) > maxLen:
		return fmt.Errorf("the user name is longer than %d bytes, the most that MQTT can carry", maxLen)
	case !utf8.ValidString(name):
		return errors.New("the user name is not UTF-8")
	case strings.Contains(name, ":"):
		return fmt.Errorf("the user name %q has a colon, which ends the name in a password file", name)
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }):
		return fmt.Errorf("the user name %q has control characters", name)
	case strings.HasPrefix(name, "#"):
		return fmt.Errorf("the user name %q begins with #, as a comment does", name)
	case strings.Trim(name, blanks) != name:
		return fmt.Errorf("the user name %q begins or ends with a blank, which would be lost in a password file", name)
	}
	return nil
}

// Make makes the line of a user, without a line break, with a new salt. 0 iterations are DefaultIterations. No error has any of
// the password in it.
func Make(user, password string, iterations int) (line string, err error) {
	if iterations == 0 {
		iterations = DefaultIterations
	}
	if err := CheckUser(user); err != nil {
		return "", err
	}
	switch {
	case iterations < 1 || iterations > MaxIterations:
		return "", fmt.Errorf("iterations: want between 1 and %d, have %d", MaxIterations, iterations)
	case password == "":
		return "", errors.New("the password is empty; nobody could log in with it")
	case len(password) > maxLen:
		return "", fmt.Errorf("the password is longer than %d bytes, the most that MQTT can carry", maxLen)
	}
	h := hash{iterations: iterations, salt: make([]byte, saltLen)}
	_, _ = rand.Read(h.salt) // never fails: without random numbers the program ends
	if h.key, err = h.derive(password); err != nil {
		return "", fmt.Errorf("the password cannot be hashed: %w", err)
	}
	return user + ":" + h.String(), nil
}
