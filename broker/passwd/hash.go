package passwd

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	// MaxIterations bounds what one login can cost: about 1.4 s on a 2.5 GHz x86.
	MaxIterations = 1_000_000

	keyLen  = sha512.Size
	saltLen = 12 // of what is made here: Mosquitto 2.0 reads no other length
	maxSalt = 1024
)

var coding = base64.StdEncoding.Strict()

// hash is one password's. iterations is 0 for SHA512 alone ($6$).
type hash struct {
	iterations int
	salt, key  []byte
}

// parseHash reads what stands behind the user's name. Its errors say nothing of the text but its kind.
func parseHash(text string) (h hash, err error) {
	fields := strings.Split(text, "$")
	if fields[0] != "" || len(fields) < 3 {
		return h, errPlain
	}
	switch kind := fields[1]; {
	case kind == "6" && len(fields) == 4:
		fields = fields[2:]
	case kind == "7" && len(fields) == 5:
		n, err := strconv.ParseUint(fields[2], 10, 31)
		if err != nil || n == 0 || n > MaxIterations {
			return h, fmt.Errorf("its iterations have to be a number from 1 to %d", MaxIterations)
		}
		h.iterations, fields = int(n), fields[3:]
	case kind == "6" || kind == "7":
		return h, fmt.Errorf("its hash $%s$… has too few or too many parts", kind)
	case strings.HasPrefix(kind, "argon2"):
		return h, errors.New("its hash is Argon2, which edged does not check (nor Mosquitto 2.0)")
	default:
		return h, errPlain
	}
	if h.salt, err = coding.DecodeString(fields[0]); err != nil || len(h.salt) == 0 || len(h.salt) > maxSalt {
		return h, errors.New("the salt of its hash is not base64, or empty")
	}
	if h.key, err = coding.DecodeString(fields[1]); err != nil || len(h.key) != keyLen {
		return h, fmt.Errorf("the key of its hash is not %d bytes in base64", keyLen)
	}
	return h, nil
}

// errPlain is the error for a text that is not a hash.
var errPlain = errors.New("a password that is not hashed")

// String is the hash as the file has it.
func (h hash) String() string {
	salt, key := coding.EncodeToString(h.salt), coding.EncodeToString(h.key)
	if h.iterations == 0 {
		return "$6$" + salt + "$" + key
	}
	return "$7$" + strconv.Itoa(h.iterations) + "$" + salt + "$" + key
}

// derive computes the key of a password.
func (h hash) derive(password string) ([]byte, error) {
	if h.iterations == 0 {
		sum := sha512.Sum512(append([]byte(password), h.salt...))
		return sum[:], nil
	}
	return pbkdf2.Key(sha512.New, password, h.salt, h.iterations, keyLen)
}

// fits says whether it is the hash of a password. The comparison takes the same time wherever they differ.
func (h hash) fits(password string) bool {
	key, err := h.derive(password)
	return err == nil && subtle.ConstantTimeCompare(key, h.key) == 1
}
