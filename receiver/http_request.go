package receiver

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"edged/internal/guard"
	"edged/internal/topic"
)

// retryAfter is what a client is asked to wait after a 503, in seconds.
const retryAfter = "5"

// ServeHTTP implements http.Handler.
func (s *serving) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		reply(w, answerf(http.StatusServiceUnavailable, "edged is stopping; send the whole body again"))
		return
	}
	defer s.wg.Done()
	if err := s.allow(w, r); err != nil {
		s.refused()
		w.Header().Set("Connection", "close") // a stranger keeps no place
		reply(w, err)
		return
	}
	reply(w, s.serve(w, r))
}

// reply writes the end of a request: 204 for nil.
func reply(w http.ResponseWriter, err error) {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	a := &answer{http.StatusInternalServerError, err.Error()}
	errors.As(err, &a)
	if a.status == http.StatusServiceUnavailable || a.status == http.StatusConflict {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": a.why}) // the client has gone
}

// allow lets in who has the token. Where none is asked for, a page in a browser of this network must not send readings behind
// its user's back; there is no page of ours that could.
func (s *serving) allow(w http.ResponseWriter, r *http.Request) error {
	if s.guard.Check(r) != guard.Welcome {
		w.Header().Set("WWW-Authenticate", `Bearer realm="edged"`)
		return answerf(http.StatusUnauthorized, "this needs the token of token_file: Authorization: Bearer …")
	}
	if s.TokenFile == "" && (r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != "") {
		return answerf(http.StatusForbidden, "not from a page in a browser")
	}
	return nil
}

// serve works on a request that may come in, and returns when its messages are stored.
func (s *serving) serve(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return answerf(http.StatusMethodNotAllowed, "readings come with POST")
	}
	name, err := s.topicOf(r)
	if err != nil {
		return err
	}
	size := int64(s.MaxBody)
	if r.ContentLength > size {
		return tooLarge(size)
	}
	if r.ContentLength >= 0 && r.Header.Get("Content-Encoding") == "" {
		size = r.ContentLength
	}
	wait, cancel := s.within(r, s.intake)
	defer cancel()
	if err := s.room.Acquire(wait, size); err != nil {
		return answerf(http.StatusServiceUnavailable, "too many bodies are worked on; send it again later")
	}
	defer s.room.Release(size)
	body, err := readBody(w, r, int64(s.MaxBody))
	if err != nil {
		return err
	}
	messages, err := messagesOf(r.Header.Get("Content-Type"), body)
	if err != nil {
		return err
	}
	return s.once(r, name, body, messages)
}

// once takes the messages, unless the same body was stored under the request's Idempotency-Key.
func (s *serving) once(r *http.Request, name string, body []byte, messages [][]byte) error {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return s.take(r, name, messages)
	}
	if len(key) > maxKey {
		return answerf(http.StatusBadRequest, "the Idempotency-Key has more than %d bytes", maxKey)
	}
	switch s.repeats.meet(key, digestOf(name, r.Header.Get("Content-Type"), body)) {
	case repeated:
		return nil
	case underway:
		return answerf(http.StatusConflict, "another request with this Idempotency-Key is worked on; ask again")
	case differs:
		return answerf(http.StatusUnprocessableEntity, "this Idempotency-Key was used for another body or topic")
	}
	err := s.take(r, name, messages)
	s.repeats.done(key, err == nil)
	return err
}

// topicOf reads the topic from the URL.
func (s *serving) topicOf(r *http.Request) (string, error) {
	rest, ok := strings.CutPrefix(r.URL.Path, s.Path)
	if !ok || rest != "" && rest[0] != '/' {
		return "", answerf(http.StatusNotFound, "readings are taken at %s/TOPIC", s.Path)
	}
	name, asked := strings.TrimPrefix(rest, "/"), r.URL.Query()
	switch {
	case name == "":
		name = asked.Get("topic")
	case asked.Has("topic"):
		return "", answerf(http.StatusBadRequest, "the topic is in the path and in the query; say it once")
	}
	if name == "" {
		return "", answerf(http.StatusBadRequest, "no topic: POST %s/TOPIC or %s?topic=TOPIC", s.Path, s.Path)
	}
	if err := topic.CheckName(name); err != nil {
		return "", answerf(http.StatusBadRequest, "topic %q: %v", name, err)
	}
	if !slices.ContainsFunc(s.Topics, func(f string) bool { return topic.Match(f, name) }) {
		return "", answerf(http.StatusBadRequest, "topic %q is none of those that are taken here (topics)", name)
	}
	return name, nil
}
