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
func (c *Config) client(env spec.Env) (*nethttp.Client, error) {
	config, err := c.TLS.Config(env.DataDir)
	if err != nil {
		return nil, err
	}
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
			ForceAttemptHTTP2:   true,
			HTTP2:               &nethttp.HTTP2Config{SendPingTimeout: probeIdle, PingTimeout: probeInterval},
		},
	}, nil
}
