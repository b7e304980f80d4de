package post

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

// Options make a Poster.
type Options struct {
	Config *Config
	Env    spec.Env
	Kind   string // of the sink, for metrics: http
	URL    string
	Type   string // Content-Type
	Scheme string // of Authorization, with token_file: Bearer
	// Remedy is what to do about an answer, where the sink knows better than this package; "" where not. nil: nowhere.
	Remedy func(code int) string
}

// Poster posts bodies. It is used by one goroutine at a time.
type Poster struct {
	o      Options
	config *Config
	meters *meters
	client *nethttp.Client // nil while it is closed
	agent  string

	packed bytes.Buffer // scratch: a compressed body
	gzip   *gzip.Writer
}

// New makes a Poster; Open opens it.
func New(o Options) *Poster {
	return &Poster{o: o, config: o.Config, meters: newMeters(o.Kind, o.Env)}
}

// Open reads the certificates. It does not connect: a server that is away is met by the first Post.
func (p *Poster) Open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	client, err := p.config.client(p.o.Env)
	if err != nil {
		return edged.Explain(fmt.Errorf("tls: %w; its rows wait in the store", err), "tls: "+err.Error(), "correct the file")
	}
	p.Close()
	p.client, p.agent = client, userAgent()
	return nil
}

// Close closes the connection.
func (p *Poster) Close() {
	if p.client != nil {
		p.client.CloseIdleConnections()
		p.client = nil
	}
}

// Post makes one attempt to have the server take a body, compressed if so configured. key is sent as Idempotency-Key, unless it is "". The
// body is the caller's again when it returns. The class of an error says what to do: see answer.go.
func (p *Poster) Post(ctx context.Context, key string, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	body, err := p.pack(body)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, p.config.Timeout.D())
	defer cancel()
	lent := &lease{data: body}
	defer lent.end()
	req, err := p.request(limited, key, lent)
	if err != nil {
		return err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		p.meters.request(0, 0)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return p.unanswered(err)
	}
	p.meters.request(resp.StatusCode, len(body))
	err = p.judge(resp)
	finish(resp.Body)
	return err
}

// pack returns the body as it is sent, valid until the next call.
func (p *Poster) pack(body []byte) ([]byte, error) {
	if p.config.Compress == "gzip" {
		p.packed.Reset()
		if p.gzip == nil {
			p.gzip = gzip.NewWriter(nil)
		}
		p.gzip.Reset(&p.packed)
		_, err := p.gzip.Write(body)
		if err = errors.Join(err, p.gzip.Close()); err != nil {
			return nil, err // never: a buffer takes everything
		}
		body = p.packed.Bytes()
	}
	if most := int64(p.config.MaxPacketSize); int64(len(body)) > most {
		return nil, edged.WithClass(fmt.Errorf("the body would be %d bytes, more than max_packet_size (%d)", len(body), most), edged.TooLarge)
	}
	return body, nil
}

// request makes the request for a body. Secrets are read here, for each attempt, so that a new one is used at once.
func (p *Poster) request(ctx context.Context, key string, body *lease) (*nethttp.Request, error) {
	req, err := nethttp.NewRequestWithContext(ctx, nethttp.MethodPost, p.o.URL, body.open())
	if err != nil {
		return nil, edged.WithClass(fmt.Errorf("url: %w", bare(err)), edged.Permanent)
	}
	req.ContentLength = int64(len(body.data))
	req.GetBody = func() (io.ReadCloser, error) { return body.open(), nil }
	h := req.Header
	h.Set("User-Agent", p.agent)
	for _, pair := range p.config.Headers {
		if strings.EqualFold(pair.Key, "Host") {
			req.Host = pair.Value
		}
		h.Set(pair.Key, pair.Value)
	}
	h.Set("Content-Type", p.o.Type)
	if p.config.Compress == "gzip" {
		h.Set("Content-Encoding", "gzip")
	}
	if key != "" {
		h.Set("Idempotency-Key", key)
	}
	return req, p.authorize(req)
}

// authorize adds the credentials. A file that cannot be read is retryable: it may be in the middle of being replaced.
func (p *Poster) authorize(req *nethttp.Request) error {
	switch dir := p.o.Env.DataDir; {
	case p.config.TokenFile != "":
		token, err := secret.Read(p.config.TokenFile, dir)
		if err != nil {
			return unread("token_file", err)
		}
		req.Header.Set("Authorization", p.o.Scheme+" "+token)
	case p.config.Basic != Basic{}:
		password, err := secret.Read(p.config.Basic.PasswordFile, dir)
		if err != nil {
			return unread("basic.password_file", err)
		}
		req.SetBasicAuth(p.config.Basic.Username, password)
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
