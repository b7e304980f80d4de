// Package configs reads the configuration file: TOML into each room's Config. It is the landing of the house: the only
// place where the names of all rooms stand side by side.
//
// Every mistake is found at once, as file:line: message. What Load accepts is what `edged run` runs: `edged check` does
// nothing else.
package configs
