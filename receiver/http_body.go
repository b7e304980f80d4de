package receiver

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// maxMessages bounds the messages of one body.
const maxMessages = 10_000

// answer is a request's end: a status, and what is said of it.
type answer struct {
	status int
	why    string
}

func (a *answer) Error() string { return a.why }

func answerf(status int, format string, args ...any) *answer {
	return &answer{status, fmt.Sprintf(format, args...)}
}

func tooLarge(max int64) *answer {
	return answerf(http.StatusRequestEntityTooLarge, "the body has more than max_body (%d bytes); send its messages in several", max)
}

// readBody reads a body and unpacks it; either has at most max bytes.
func readBody(w http.ResponseWriter, r *http.Request, max int64) ([]byte, error) {
	packed := http.MaxBytesReader(w, r.Body, max)
	var from io.Reader = packed
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(packed)
		if err != nil {
			return nil, unreadable(err, max)
		}
		from = io.LimitReader(z, max+1)
	default:
		return nil, answerf(http.StatusUnsupportedMediaType, "Content-Encoding %q is not understood; gzip is", encoding)
	}
	body, err := io.ReadAll(from)
	if err != nil {
		return nil, unreadable(err, max)
	}
	if int64(len(body)) > max {
		return nil, tooLarge(max)
	}
	return body, nil
}

func unreadable(err error, max int64) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge(max)
	}
	return answerf(http.StatusBadRequest, "the body cannot be read: %v", err)
}

// messagesOf takes a body apart by its type. The messages point into it.
func messagesOf(contentType string, body []byte) (out [][]byte, err error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil && contentType != "" {
		return nil, answerf(http.StatusUnsupportedMediaType, "Content-Type %q cannot be understood: %v", contentType, err)
	}
	switch kind {
	case "application/json":
		out, err = jsonMessages(body)
	case "application/x-ndjson", "application/ndjson", "application/jsonl":
		out, err = lineMessages(body, true)
	case "text/plain":
		out, err = lineMessages(body, false)
	case "application/octet-stream", "application/cbor", "application/senml+json", "application/senml+cbor":
		if len(body) > 0 {
			out = [][]byte{body}
		}
	default:
		return nil, answerf(http.StatusUnsupportedMediaType, "Content-Type %q is not taken; send application/json, application/x-ndjson, text/plain or application/octet-stream", contentType)
	}
	switch {
	case err != nil:
		return nil, err
	case len(out) == 0:
		return nil, answerf(http.StatusBadRequest, "the body has no message")
	}
	return out, nil
}

func errMany() *answer {
	return answerf(http.StatusRequestEntityTooLarge, "the body has more than %d messages; send them in several", maxMessages)
}

// jsonMessages is one value as it was written, or the elements of a list.
func jsonMessages(body []byte) (out [][]byte, err error) {
	if body = bytes.TrimSpace(body); len(body) == 0 {
		return nil, nil
	}
	if !json.Valid(body) {
		err := json.Unmarshal(body, new(json.RawMessage))
		return nil, answerf(http.StatusBadRequest, "the body is not JSON: %v", err)
	}
	if body[0] != '[' {
		return [][]byte{body}, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if _, err := d.Token(); err != nil {
		return nil, answerf(http.StatusBadRequest, "the body is not JSON: %v", err)
	}
	for d.More() {
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, answerf(http.StatusBadRequest, "the body is not JSON: %v", err)
		}
		if out = append(out, value); len(out) > maxMessages {
			return nil, errMany()
		}
	}
	return out, nil
}

// lineMessages is the lines that are not empty.
func lineMessages(body []byte, isJSON bool) (out [][]byte, err error) {
	n := 0
	for line := range bytes.Lines(body) {
		n++
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			continue
		}
		if isJSON && !json.Valid(line) {
			return nil, answerf(http.StatusBadRequest, "line %d is not JSON", n)
		}
		if out = append(out, line); len(out) > maxMessages {
			return nil, errMany()
		}
	}
	return out, nil
}
