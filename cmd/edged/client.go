package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"edged/configs"
)

// endpoint is where a command reaches the running gateway.
type endpoint struct {
	configFlag
	Addr string `help:"Address of the gateway's HTTP listener, instead of the one in the configuration. Without --config it is asked in plain HTTP and without a token." placeholder:"HOST:PORT"`
}

// gateway is a running gateway, as a client on the same machine sees it.
type gateway struct {
	base   string // URL of the HTTP listener
	token  string // "" if none is configured
	client *http.Client
}

// reach finds out how the gateway is reached: address, token and certificate are those of its configuration.
func (e endpoint) reach(w world) (*gateway, error) {
	t := &http.Transport{DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * time.Second}
	g := &gateway{base: "http://" + e.Addr, client: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if e.Addr != "" && e.Config == "" {
		return g, nil
	}
	h, dir, err := e.loadHTTP(w)
	if err != nil {
		return nil, err
	}
	addr := e.Addr
	if addr == "" {
		if h.Listen == "" {
			return nil, errors.New(`the configuration turns the HTTP listener off (http.listen = ""), and with it this command`)
		}
		addr = dialable(h.Listen)
	}
	g.base = "http://" + addr
	if h.TLS.Cert != "" {
		g.base = "https://" + addr
		if t.TLSClientConfig, err = trustOnly(h.TLS.Cert, dir); err != nil {
			return nil, err
		}
	}
	if h.TokenFile != "" {
		g.token, err = readToken(h.TokenFile, dir)
	}
	return g, err
}

// loadHTTP reads the part of the configuration that says how to reach the gateway. Mistakes are printed, one a line.
func (e endpoint) loadHTTP(w world) (*configs.HTTP, string, error) {
	file, text, err := e.read()
	if err != nil {
		return nil, "", err
	}
	h, dir, problems := configs.LoadHTTP(file, text)
	for _, p := range problems {
		fmt.Fprintln(w.err, p)
	}
	if len(problems) > 0 {
		return nil, "", errSaid
	}
	return h, dir, nil
}

// dialable is the address at which a client on the same machine reaches a listener: one on every address is on loopback, too.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// get asks the gateway. The caller closes the body.
func (g *gateway) get(ctx context.Context, path string) (*http.Response, error) {
	return g.ask(ctx, http.MethodGet, path)
}

func (g *gateway) ask(ctx context.Context, method, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, g.base+path, nil)
	if err != nil {
		return nil, err
	}
	res, err := g.do(req)
	if err != nil || res.StatusCode == http.StatusOK {
		return res, err
	}
	return nil, g.refusal(res)
}

func (g *gateway) do(req *http.Request) (*http.Response, error) {
	if g.token != "" {
		req.Header.Set("Authorization", "Bearer "+g.token)
	}
	res, err := g.client.Do(req)
	if errors.Is(err, errOther) {
		return nil, fmt.Errorf("%s: %w", g.base, errOther)
	}
	if err != nil {
		return nil, fmt.Errorf("no gateway answers at %s: %w; is it running? (systemctl status edged)", g.base, err)
	}
	return res, nil
}

// refusal is the error that an answer other than 200 stands for.
func (g *gateway) refusal(res *http.Response) error {
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 500))
	switch {
	case res.StatusCode == http.StatusUnauthorized && g.token == "":
		return fmt.Errorf("the gateway at %s wants a token: name the configuration that it runs with (--config FILE)", g.base)
	case res.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("the gateway at %s refuses the token of http.token_file: it runs with another one; after a change of the file: systemctl restart edged", g.base)
	}
	if res.StatusCode == http.StatusConflict || res.StatusCode == http.StatusBadRequest {
		return errors.New(strings.TrimSpace(string(text)))
	}
	return fmt.Errorf("the gateway at %s answers %d: %s", g.base, res.StatusCode, strings.TrimSpace(string(text)))
}

// getJSON asks the gateway and decodes its answer into v.
func (e endpoint) getJSON(ctx context.Context, w world, path string, v any) error {
	g, err := e.reach(w)
	if err != nil {
		return err
	}
	res, err := g.get(ctx, path)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(v); err != nil {
		return fmt.Errorf("the gateway's answer cannot be read: %w", err)
	}
	return nil
}

// stream asks the gateway for something that comes as it happens, or is copied as it is. The caller closes it.
func (e endpoint) stream(ctx context.Context, w world, path string) (io.ReadCloser, error) {
	g, err := e.reach(w)
	if err != nil {
		return nil, err
	}
	res, err := g.get(ctx, path)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// sudo is what a user who may not read a secret can do.
func sudo() string {
	if os.Geteuid() == 0 {
		return ""
	}
	return "; if this user may not read it: sudo edged …"
}
