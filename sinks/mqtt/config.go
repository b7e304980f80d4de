package mqtt

import (
	"fmt"
	"time"

	"edged"
	"edged/internal/conf"
	"edged/sinks/encode"
	"edged/sinks/spec"
	"edged/sinks/template"
)

// Embedded is the broker that means the one in this process.
const Embedded = "embedded"

// Config is the [sink.NAME] table of a sink of type "mqtt". It implements spec.Config.
type Config struct {
	Topic         string        `toml:"topic" doc:"topic of a row's message; {stream} is the row's stream, {NAME} the value of its column NAME, null if there is none. In a value + # and control characters become _, and so does an empty level; a / in it makes levels"`
	QoS           int           `toml:"qos" doc:"0, 1 or 2; with 0 rows can get lost while the broker or the link is away. With 1 and 2 each row arrives at least once; the broker's own acknowledgement is what counts, and Mosquitto gives it also for what its acl_file forbids"`
	Retain        bool          `toml:"retain" doc:"the broker keeps the last row of each topic for new subscribers"`
	Format        string        `toml:"format" doc:"json: the row as one object, as in a line of an NDJSON file"`
	Payload       string        `toml:"payload" doc:"column whose bare value is published in place of the row: a number as it is, text without quotes, null if there is none"`
	MaxPacketSize conf.Size     `toml:"max_packet_size" doc:"a row whose message is larger becomes a dead letter: many brokers end the connection over it"`
	Timeout       conf.Duration `toml:"timeout" doc:"for the acknowledgements of one batch of rows (1000, or about 256KiB); then the connection is made anew, and what is not acknowledged is published again"`

	Remote spec.Remote // broker, client_id, username, password_file, tls

	template *template.Template // of Topic; nil until it was parsed
}

var (
	_ spec.Config = (*Config)(nil)
	_ spec.Parts  = (*Config)(nil)
	_ spec.Names  = (*Config)(nil)
)

// Default returns the defaults. remote are the settings of an external broker; they belong to the broker room.
func Default(remote spec.Remote) *Config {
	return &Config{Topic: "results/{stream}", QoS: 1, Format: "json", MaxPacketSize: 256 << 10, Timeout: conf.Duration(time.Minute), Remote: remote}
}

// Parts implements spec.Parts.
func (c *Config) Parts() []any { return []any{c.Remote, c} }

// External are the settings of the external broker; nil if the embedded one is meant.
func (c *Config) External() spec.Remote {
	if a := c.Remote.Address(); a == Embedded || a == "" {
		return nil
	}
	return c.Remote
}

// A batch is what is published before the acknowledgements are waited for; a delivery is no larger.
const (
	batchRows  = 1000
	batchBytes = 256 << 10
)

// Limits are those of a batch. Rows do not wait for more: each is a message of its own anyway.
func (c *Config) Limits() spec.Limits { return spec.Limits{Rows: batchRows, Bytes: batchBytes} }

// Encoding is what becomes of a row: its topic, and its payload.
func (c *Config) Encoding() string {
	payload := encode.NDJSON
	if c.Payload != "" {
		payload = fmt.Sprintf("value/1 %q", c.Payload)
	}
	return fmt.Sprintf("mqtt/1 %q %s", c.Topic, payload)
}

// New makes the sink.
func (c *Config) New(env spec.Env) edged.Sink { return newSink(c, env) }
