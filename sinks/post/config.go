package post

import (
	"time"

	"edged/internal/conf"
	"edged/internal/secret"
	"edged/sinks/spec"
)

// Config are the keys of every sink that posts.
type Config struct {
	BatchRows     int           `toml:"batch_rows" doc:"rows in one request, at most"`
	BatchBytes    conf.Size     `toml:"batch_bytes" doc:"size of one request before compression, roughly, at most"`
	BatchAge      conf.Duration `toml:"batch_age" doc:"how long rows wait for more before a request is sent"`
	MaxPacketSize conf.Size     `toml:"max_packet_size" doc:"larger bodies are not sent but split; a single row that is larger becomes a dead letter"`
	Compress      string        `toml:"compress" doc:"none or gzip"`
	Timeout       conf.Duration `toml:"timeout" doc:"for one request from connecting to the end of the answer; then it is tried again"`
	Headers       conf.Pairs    `toml:"headers" doc:"sent with each request"`
	TokenFile     string        `toml:"token_file" doc:"file with a token, sent as Authorization: Bearer (influx with api v1 and v2: Token), read for each request; relative to the systemd credentials or data_dir"`
	Basic         Basic         `toml:"basic" doc:"basic authentication"`
	TLS           secret.TLS    `toml:"tls" doc:"for https; the files are read when the sink is opened"`
}

// Basic is a user and the file with the password.
type Basic struct {
	Username     string `toml:"username" doc:"user"`
	PasswordFile string `toml:"password_file" doc:"file with the password, read for each request; found like token_file"`
}

// Default returns the defaults.
func Default() Config {
	return Config{
		BatchRows:     1000,
		BatchBytes:    1 << 20,
		BatchAge:      conf.Duration(time.Second),
		MaxPacketSize: 10 << 20,
		Compress:      "none",
		Timeout:       conf.Duration(10 * time.Second),
	}
}

// Limits are the batch keys. A delivery that is known to be too large is not made.
func (c *Config) Limits() spec.Limits {
	return spec.Limits{Rows: c.BatchRows, Bytes: min(int64(c.BatchBytes), int64(c.MaxPacketSize)), Age: c.BatchAge.D()}
}
