package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// endpoint is where a command reaches the running gateway.
type endpoint struct {
	configFlag
	Addr string `help:"Address of the gateway's HTTP listener, instead of the one in the configuration." placeholder:"HOST:PORT"`
}

// base is the URL of the HTTP listener.
func (e endpoint) base(w world) (string, error) {
	if e.Addr != "" {
		return "http://" + e.Addr, nil
	}
	cfg, err := e.load(w, false)
	if err != nil {
		return "", err
	}
	if cfg.HTTP.Listen == "" {
		return "", errors.New(`the configuration turns the HTTP listener off (http.listen = ""), and with it this command`)
	}
	return "http://" + cfg.HTTP.Listen, nil
}

// get asks the gateway. The caller closes the body.
func (e endpoint) get(ctx context.Context, w world, path string) (*http.Response, error) {
	base, err := e.base(w)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext, ResponseHeaderTimeout: 10 * time.Second}}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no gateway answers at %s: %w; is it running? (systemctl status edged)", base, err)
	}
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 500))
		res.Body.Close()
		return nil, errors.New(strings.TrimSpace(string(text)))
	}
	return res, nil
}
