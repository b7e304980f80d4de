package remote

import (
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"

	"edged/internal/conf"
	"edged/internal/secret"
)

// Access are the keys that say where an external broker is, and who asks to be let in.
type Access struct {
	Broker       string     `toml:"broker" doc:"external broker, as tcp://HOST:PORT or tls://HOST:PORT; without it the embedded broker is meant"`
	ClientID     string     `toml:"client_id" doc:"client identifier of the session at the broker; it must stay the same, and be used by nobody else. Empty: made of the host's name, the name of this table and the machine id"`
	Username     string     `toml:"username" doc:"user name for the broker"`
	PasswordFile string     `toml:"password_file" doc:"file with the password, read on every connect; relative to the systemd credentials or data_dir"`
	TLS          secret.TLS `toml:"tls" doc:"for tls://; the files are read on every connect"`

	Dir  string `toml:"-"` // where password and certificate files are looked for: see package secret
	name string // of the receiver or sink; for metrics and logs
}

// Config are the keys of a receiver that takes from an external broker.
type Config struct {
	Access
	QoS      int    `toml:"qos" doc:"quality of service of the subscriptions: 0, 1 or 2; with 0 nothing is kept while the gateway is away"`
	Retained string `toml:"retained" doc:"retained messages that the broker sends after each connect: skip, or store (again each time)"`
}

// Default returns the defaults.
func Default() *Config { return &Config{QoS: 1, Retained: "skip"} }

// DefaultClientID makes a client identifier that stays the same over restarts and differs between machines: many a
// gateway's host is called raspberrypi.
func DefaultClientID(name string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "gateway"
	}
	id := "edged-" + host + "-" + name
	if machine, err := os.ReadFile("/etc/machine-id"); err == nil && len(machine) > 0 {
		sum := sha256.Sum256(append([]byte("edged "), machine...)) // the id itself is not to be given away (machine-id(5))
		id += fmt.Sprintf("-%x", sum[:4])
	}
	return id
}

// Check reports what is wrong with the values, completes the client identifier, and notes what an external broker does not
// promise. name is the receiver's, dataDir where its secrets are looked for. It reads the files that are named, and connects to nothing.
func (c *Config) Check(t *conf.Table, name, dataDir string) {
	c.Access.Check(t, name, dataDir)
	if c.QoS < 0 || c.QoS > 2 {
		t.Errorf("qos", "qos: want 0, 1 or 2, have %d", c.QoS)
	}
	t.OneOf("retained", c.Retained, "skip", "store")
	c.note(t)
}

// Check reports what is wrong with the values, and completes the client identifier. name is the receiver's or the sink's, dataDir where
// its secrets are looked for. It reads the files that are named, and connects to nothing.
func (c *Access) Check(t *conf.Table, name, dataDir string) {
	c.name, c.Dir = name, dataDir
	if c.ClientID == "" {
		c.ClientID = DefaultClientID(name)
	}
	if len(c.ClientID) > 65535 || !utf8.ValidString(c.ClientID) || strings.ContainsRune(c.ClientID, 0) {
		t.Errorf("client_id", "client_id: it must be UTF-8 without NUL, of at most 65535 bytes")
	}
	u, err := c.url()
	if err != nil {
		t.Errorf("broker", "broker: %q %v", c.Broker, err)
	} else if u.Scheme == "tcp" && c.TLS != (secret.TLS{}) {
		t.Errorf("tls", "tls is for tls://, and broker is %s", c.Broker)
	}
	if c.PasswordFile != "" && c.Username == "" {
		t.Errorf("password_file", "password_file: MQTT has no password without a username")
	}
	if _, err := c.password(); err != nil {
		t.Placef("password_file", "password_file: %v", err)
	}
	if _, err := c.tlsConfig(); err != nil && !t.Bad("tls") {
		t.Placef("tls", "tls: %v", err)
	}
}

// note says what the promise does not cover, and what to do about it: mosquitto.conf(5), version 2.0.
func (c *Config) note(t *conf.Table) {
	if c.QoS == 0 {
		t.Notef("qos", "qos = 0: messages are lost while this gateway is away or slow; qos = 1 has the broker keep them")
		return
	}
	t.Notef("broker", "what %s has acknowledged to its publishers is only as durable as that broker. Mosquitto keeps it in memory, and drops what exceeds "+
		"max_queued_messages; set in its mosquitto.conf: persistence true; autosave_interval 1 (seconds between writes of its whole database: more spare an SD card, and "+
		"are lost at a crash); max_queued_messages 0; max_inflight_messages 0", c.Broker)
}

// Address is the broker's host and port, as far as they can be told.
func (c *Access) Address() string {
	u, err := c.url()
	if err != nil {
		return c.Broker
	}
	return u.Host
}

// url returns the broker's address with a port.
func (c *Access) url() (*url.URL, error) {
	u, err := url.Parse(c.Broker)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, errors.New(`is not an address; write "tcp://HOST:1883" or "tls://HOST:8883"`)
	case u.Scheme != "tcp" && u.Scheme != "tls":
		return nil, errors.New("has to begin with tcp:// or tls://")
	case u.User != nil:
		return nil, errors.New("has a user in it; write username and password_file instead")
	case u.Path != "" || u.RawQuery != "":
		return nil, errors.New(`has to be HOST:PORT after the slashes`)
	case u.Port() == "" && u.Scheme == "tcp":
		u.Host += ":1883"
	case u.Port() == "":
		u.Host += ":8883"
	}
	return u, nil
}

func (c *Access) password() (string, error) {
	if c.PasswordFile == "" {
		return "", nil
	}
	return secret.Read(c.PasswordFile, c.Dir)
}

// tlsConfig reads the files; nil for tcp://.
func (c *Access) tlsConfig() (*tls.Config, error) {
	u, err := c.url()
	if err != nil || u.Scheme != "tls" {
		return nil, nil
	}
	out, err := c.TLS.Config(c.Dir)
	if err == nil {
		out.ServerName = u.Hostname()
	}
	return out, err
}
