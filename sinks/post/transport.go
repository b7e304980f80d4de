package post

import (
	"net"
	nethttp "net/http"
	"time"

	"edged/sinks/spec"
)

// An idle connection is probed, so that one whose other end is gone without a word is noticed before it is used.
const (
	probeIdle     = 15 * time.Second
	probeInterval = 15 * time.Second
	probeCount    = 3
	keepIdle      = 90 * time.Second // then it is closed
)

// client makes a client with one connection. It follows no redirect: a 301 or 302 would turn the POST into a GET, and
// a permanent move is for a person to write into the configuration.
//
// It speaks HTTP/1.1. Requests go one after the other, so that the streams of HTTP/2 would bring nothing; and a request that gets no answer takes
// its connection with it, while a connection of HTTP/2 outlives its requests and has to be found dead by pings of its own.
func (c *Config) client(env spec.Env) (*nethttp.Client, error) {
	config, err := c.TLS.Config(env.DataDir)
	if err != nil {
		return nil, err
	}
	var speaks nethttp.Protocols
	speaks.SetHTTP1(true)
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: probeIdle, Interval: probeInterval, Count: probeCount,
	}}
	return &nethttp.Client{
		CheckRedirect: func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse },
		Transport: &nethttp.Transport{
			Proxy:               nethttp.ProxyFromEnvironment,
			DialContext:         dialer.DialContext,
			TLSClientConfig:     config,
			MaxConnsPerHost:     1,
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     keepIdle,
			DisableCompression:  true, // answers are short, and read by people
			Protocols:           &speaks,
		},
	}, nil
}
