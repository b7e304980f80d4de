// Command edged is a gateway for GPIO and IoT devices: it embeds an MQTT broker, reads pins, makes what arrives durable,
// aggregates it in windows, and delivers it to files and HTTP endpoints.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
	exitConfig  = 78 // of run: the configuration has mistakes; the unit does not start it again (EX_CONFIG of sysexits.h)
)

type cli struct {
	Run     runCmd     `cmd:"" help:"Run the gateway."`
	Check   checkCmd   `cmd:"" help:"Check the configuration: everything that run checks before it starts. Writes nothing."`
	Explain explainCmd `cmd:"" help:"Say in plain words what a stream of the configuration does."`
	Size    sizeCmd    `cmd:"" help:"Say what the gateway of a configuration needs, and how long it and its card last."`
	Demo    demoCmd    `cmd:"" help:"Run a demonstration with simulated pins. Needs no root and no configuration."`
	Reload  reloadCmd  `cmd:"" help:"Have the running gateway take its changed configuration into use, and read its other files again."`
	Status  statusCmd  `cmd:"" help:"Show how the running gateway is, with its ledger."`
	Clients clientsCmd `cmd:"" help:"List the clients of the running gateway's broker, with what they send, get and lose."`
	Tail    tailCmd    `cmd:"" help:"Follow the messages of a topic filter at the running gateway's broker."`
	Store   storeCmd   `cmd:"" help:"Look into the store, and tend it."`
	Try     tryCmd     `cmd:"" help:"Run one stream over a file, or the last minutes of the store, and print its rows. Delivers and writes nothing."`
	Replay  replayCmd  `cmd:"" help:"Have the running gateway give rows of a stream once more, of messages that it still stores."`
	Kinds   kindsCmd   `cmd:"" help:"List the kinds of receivers, decoders, aggregates and sinks."`
	Passwd  passwdCmd  `cmd:"" help:"Set, delete or check a password in a password file of the broker."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// world is what a command may touch.
type world struct {
	out, err io.Writer
}

func main() { os.Exit(edged(os.Args[1:], world{os.Stdout, os.Stderr})) }

// edged runs one command and returns its exit code.
func edged(args []string, w world) (code int) {
	var c cli
	exited := false
	parser, err := kong.New(&c,
		kong.Name("edged"),
		kong.Description("A gateway for GPIO and IoT devices: what was acknowledged is on disk, and reaches every sink."),
		kong.Writers(w.out, w.err),
		kong.Exit(func(n int) { exited, code = true, n }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(w.out, (*io.Writer)(nil)),
	)
	if err != nil {
		fmt.Fprintln(w.err, "edged:", err)
		return exitFailure
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(args)
	if exited { // --help
		return code
	}
	if err != nil {
		fmt.Fprintf(w.err, "edged: %v\nRun \"edged --help\" to see the commands.\n", err)
		return exitUsage
	}
	if err := ctx.Run(w); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintln(w.err, "edged:", err)
		}
		if errors.Is(err, errMistaken) && ctx.Command() == "run" {
			return exitConfig
		}
		return exitFailure
	}
	return exitOK
}
