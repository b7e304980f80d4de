// Command reference writes docs/configuration.md from the code: make docs.
package main

import (
	"os"

	"edged/configs"
)

func main() { os.Stdout.WriteString(configs.Reference()) }
