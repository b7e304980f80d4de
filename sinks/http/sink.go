package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/url"
	"os"
	"strings"

	"edged"
	"edged/internal/secret"
	"edged/sinks/spec"

	"github.com/klauspost/compress/gzip"
)

// sink implements edged.Sink. It has no receipt: what was answered is done, and the key says the rest.
type sink struct {
	config *Config
	env    spec.Env
	meters *meters
	client *nethttp.Client
	agent  string
	shape  shape

	body   []byte       // scratch: one request's, encoded
	packed bytes.Buffer // scratch: the same, compressed
	gzip   *gzip.Writer
}

// Open reads the certificates. It does not connect: a server that is away is met by the first Write.
func (s *sink) Open(ctx context.Context, _ []byte, _ []edged.Delivery) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.shape.err != nil {
		return edged.WithClass(s.shape.err, edged.Permanent)
	}
	client, err := s.config.client(s.env)
	if err != nil {
		return edged.Explain(fmt.Errorf("tls: %w; its rows wait in the store", err), "tls: "+err.Error(), "correct the file")
	}
	s.Close()
	s.client, s.agent = client, userAgent()
	return nil
}

// Write sends one request a delivery, in order, up to the first that is not taken.
func (s *sink) Write(ctx context.Context, turn []edged.Delivery) (int, []byte, error) {
	for i := range turn {
		if err := s.post(ctx, &turn[i]); err != nil {
			return i, nil, err
		}
	}
	return len(turn), nil, nil
}

// Close closes the connection.
func (s *sink) Close() error {
	if s.client != nil {
		s.client.CloseIdleConnections()
		s.client = nil
	}
	return nil
}

// post makes one attempt at one delivery. One without rows is done without a request.
func (s *sink) post(ctx context.Context, d *edged.Delivery) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.Rows.Len() == 0 {
		return nil
	}
	body, err := s.encode(d.Rows)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, s.config.Timeout.D())
	defer cancel()
	lent := &lease{data: body}
	defer lent.end()
	req, err := s.request(limited, d.Key, lent)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.meters.request(0, 0)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return s.unanswered(err)
	}
	s.meters.request(resp.StatusCode, len(body))
	err = s.judge(resp)
	finish(resp.Body)
	return err
}

// encode returns the body of a request, valid until the next call.
func (s *sink) encode(rows *edged.Rows) ([]byte, error) {
	var err error
	if s.body, err = s.shape.lines(s.body[:0], rows); err != nil {
		return nil, edged.WithClass(fmt.Errorf("body: %w", err), edged.Poison) // never: what compiles renders
	}
	body := s.body
	if s.config.Compress == "gzip" {
		s.packed.Reset()
		if s.gzip == nil {
			s.gzip = gzip.NewWriter(nil)
		}
		s.gzip.Reset(&s.packed)
		_, err = s.gzip.Write(body)
		if err = errors.Join(err, s.gzip.Close()); err != nil {
			return nil, err // never: a buffer takes everything
		}
		body = s.packed.Bytes()
	}
	if most := int64(s.config.MaxPacketSize); int64(len(body)) > most {
		return nil, edged.WithClass(fmt.Errorf("the body would be %d bytes, more than max_packet_size (%d)", len(body), most), edged.TooLarge)
	}
	return body, nil
}

// request makes the request for a body. Secrets are read here, for each attempt, so that a new one is used at once.
func (s *sink) request(ctx context.Context, key string, body *lease) (*nethttp.Request, error) {
	req, err := nethttp.NewRequestWithContext(ctx, nethttp.MethodPost, s.config.URL, body.open())
	if err != nil {
		return nil, edged.WithClass(fmt.Errorf("url: %w", bare(err)), edged.Permanent)
	}
	req.ContentLength = int64(len(body.data))
	req.GetBody = func() (io.ReadCloser, error) { return body.open(), nil }
	h := req.Header
	h.Set("User-Agent", s.agent)
	for _, p := range s.config.Headers {
		if strings.EqualFold(p.Key, "Host") {
			req.Host = p.Value
		}
		h.Set(p.Key, p.Value)
	}
	h.Set("Content-Type", s.shape.contentType)
	if s.config.Compress == "gzip" {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Idempotency-Key", key)
	return req, s.authorize(req)
}

// authorize adds the credentials. A file that cannot be read is retryable: it may be in the middle of being replaced.
func (s *sink) authorize(req *nethttp.Request) error {
	switch {
	case s.config.TokenFile != "":
		token, err := secret.Read(s.config.TokenFile, s.env.DataDir)
		if err != nil {
			return unread("token_file", err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
	case s.config.Basic != Basic{}:
		password, err := secret.Read(s.config.Basic.PasswordFile, s.env.DataDir)
		if err != nil {
			return unread("basic.password_file", err)
		}
		req.SetBasicAuth(s.config.Basic.Username, password)
	}
	return nil
}

func unread(key string, err error) error {
	return edged.Explain(fmt.Errorf("%s: %w; its rows wait in the store", key, err), key+": "+err.Error(), "correct the file; it is read for each request")
}

// bare takes off what the standard library puts around an error: the whole URL, which may hold secrets, or the path.
func bare(err error) error {
	if ue := (*url.Error)(nil); errors.As(err, &ue) {
		return ue.Err
	}
	if pe := (*os.PathError)(nil); errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
