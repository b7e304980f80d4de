// Package secret finds and reads the files that hold tokens, passwords, certificates and keys. Secrets never stand in the
// configuration itself.
package secret

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Unit is the name under which the service's unit loads the directory of secrets (LoadCredential=secrets:DIR): systemd then
// puts each file NAME of it at $CREDENTIALS_DIRECTORY/secrets_NAME.
const Unit = "secrets"

// maxSize is more than any token or password has.
const maxSize = 16 << 10

// system is the directory that the unit loads. Only root can read it: it is looked at for "edged check" as root, and for a
// gateway that root runs without the unit.
var system = "/etc/edged/secrets"

// Find completes a path. A relative one is looked for among the credentials of the unit, then below dir, then in
// /etc/edged/secrets. One that is nowhere is said to be below dir.
func Find(path, dir string) string {
	if filepath.IsAbs(path) || path == "" {
		return path
	}
	if credentials := os.Getenv("CREDENTIALS_DIRECTORY"); credentials != "" {
		for _, name := range []string{path, Unit + "_" + path} {
			if at := filepath.Join(credentials, name); exists(at) {
				return at
			}
		}
	}
	if at := filepath.Join(system, path); !exists(filepath.Join(dir, path)) && exists(at) {
		return at
	}
	return filepath.Join(dir, path)
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// Read reads a token or password: the file's text without white space around it. The error says the path and the cause, and
// never any of the text.
func Read(path, dir string) (string, error) {
	at := Find(path, dir)
	f, err := os.Open(at)
	if errors.Is(err, fs.ErrNotExist) && !filepath.IsAbs(path) {
		return "", fmt.Errorf("there is no file %s in %s or %s, or this user cannot look there", path, dir, system)
	}
	path = at
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", path, Bare(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	text := strings.TrimSpace(string(b))
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot read %s: %w", path, Bare(err))
	case text == "":
		return "", fmt.Errorf("%s is empty", path)
	case len(b) > maxSize:
		return "", fmt.Errorf("%s has more than %d bytes: this is no token or password", path, maxSize)
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", fmt.Errorf("%s has line breaks or control characters within the secret", path)
	}
	return text, nil
}

// Bare takes the operation and the path off a file error: the sentence around it has them.
func Bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
