package gpio

import (
	"strings"

	"edged/gpio/wave"
	"edged/internal/conf"
	"edged/internal/secret"
)

// Embedded is the PublishTo that means the broker in this process.
const Embedded = "embedded"

// Config is the [gpio] table.
type Config struct {
	Driver       string      `toml:"driver" doc:"periph reads the pins of this computer through the kernel; sim simulates them"`
	PublishTo    string      `toml:"publish_to" doc:"embedded, or an external broker: tcp://HOST:PORT or tls://HOST:PORT"`
	ClientID     string      `toml:"client_id" doc:"external broker: client identifier, used by nobody else. Empty: made of the host's name and the machine id"`
	Username     string      `toml:"username" doc:"external broker"`
	PasswordFile string      `toml:"password_file" doc:"external broker: file with the password, read on every connect; relative to the systemd credentials or data_dir"`
	TLS          secret.TLS  `toml:"tls" doc:"external broker, tls:// only"`
	Topic        string      `toml:"topic" doc:"topic of a pin's readings; {name} is the pin's name, {line} its line"`
	QoS          int         `toml:"qos" doc:"0, 1 or 2; readings are best effort in any case"`
	Pin          *conf.Table `toml:"pin"`

	Pins []*PinConfig `toml:"-"` // bound from Pin, in the order of the file
}

// PinConfig is one [gpio.pin.NAME] table.
type PinConfig struct {
	Name      string        `toml:"-"` // NAME
	Line      string        `toml:"line" doc:"name that the kernel gives the line (gpioinfo lists them), not its number; a name that several chips have means the one on the board's header (chip label pinctrl-…), on another it is called CHIP-NAME; sim: default is the pin's name"`
	Direction string        `toml:"direction" doc:"in"`
	Pull      string        `toml:"pull" doc:"up, down, or none: the resistor is left as the board has it (a Raspberry Pi starts GPIO0 to GPIO8 with up, the others with down); ignored by sim"`
	Edge      string        `toml:"edge" doc:"report changes: both, rising or falling, of the value after invert; both also reports the value at the start, without an edge; sim: default both for a square wave"`
	Interval  conf.Duration `toml:"interval" doc:"report the value at this interval instead; at least 1ms"`
	Debounce  conf.Duration `toml:"debounce" doc:"with edge: a change counts when the line has been still for this long; its time is that of its first edge; at most 10s"`
	Invert    bool          `toml:"invert" doc:"exchange 0 and 1"`
	Retain    bool          `toml:"retain" doc:"the broker keeps the last reading for new subscribers"`
	WaveTable *conf.Table   `toml:"wave"`

	Wave wave.Config `toml:"-"` // bound from WaveTable; sim only
}

// Default is a [gpio] table that says nothing.
func Default() *Config {
	return &Config{Driver: "periph", PublishTo: Embedded, Topic: "site/local/gpio/{name}", QoS: 1}
}

// DefaultPin is a [gpio.pin.NAME] table that says nothing. The kinds of its wave are in wave.Kinds.
func DefaultPin() *PinConfig {
	return &PinConfig{Direction: "in", Pull: "none"}
}

// topicOf is the topic of a pin.
func (c *Config) topicOf(p *PinConfig) string {
	return strings.NewReplacer("{name}", p.Name, "{line}", p.Line).Replace(c.Topic)
}
