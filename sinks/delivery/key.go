package delivery

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// encoderHash identifies what makes bytes of rows: the sink's encoding, and what the rows were read with (for a stream
// without a window its decode, where and select).
func encoderHash(encoding, like string) string {
	sum := sha256.Sum256([]byte(encoding + "\x00" + like))
	return hex.EncodeToString(sum[:4])
}

// key names a delivery for ever: store UUID / stream / sink / from–to / encoder. The dash is a plain one, so that the key
// fits into an HTTP header.
func key(uuid, sink string, r part) string {
	return fmt.Sprintf("%s/%s/%s/%v-%v/%s", uuid, r.Stream, sink, r.From.place().Pos, r.To.place().Pos, r.Encoder)
}
