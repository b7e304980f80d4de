package configs

import _ "embed" // the demonstration's configuration

// Demo is the configuration of `edged demo`, with places for data_dir and the two addresses: {{data_dir}}, {{broker}},
// {{http}}.
//
//go:embed examples/demo.toml
var Demo string
