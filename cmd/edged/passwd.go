package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"edged/broker/passwd"
	"edged/internal/durable"

	"golang.org/x/term"
)

type passwdCmd struct {
	Delete     bool   `help:"Delete the user." xor:"what"`
	Check      bool   `help:"Check the file, and with USER whether a password is the user's. Changes nothing." xor:"what"`
	Iterations int    `help:"How often the password is hashed: more makes guessing and every login slower. Default: 1000." placeholder:"N"`
	File       string `arg:"" help:"Password file, as broker.password_file names it; Mosquitto reads it too."`
	User       string `arg:"" optional:"" help:"User name."`
}

// Help implements kong.HelpProvider.
func (c *passwdCmd) Help() string {
	return `Sets a user's password, in a new file if there is none. It asks for the password twice, or reads it from the first line of standard input if that is no terminal.

Examples:

    edged passwd /etc/edged/passwords pump-house
    edged passwd --check /etc/edged/passwords
    edged passwd --delete /etc/edged/passwords pump-house

A new file that root makes can be read by the group edged, if there is one: that is the service's.`
}

// Validate is called when the command line is read; an error is one of usage.
func (c *passwdCmd) Validate() error {
	switch {
	case c.File == "": // kong says so
	case c.User == "" && !c.Check:
		return errors.New(`expected "<user>"`)
	case c.Iterations != 0 && (c.Check || c.Delete):
		return errors.New("--iterations is for setting a password")
	case c.Iterations < 0 || c.Iterations > passwd.MaxIterations:
		return fmt.Errorf("--iterations: want between 1 and %d", passwd.MaxIterations)
	}
	return nil
}

// Run implements the command.
func (c *passwdCmd) Run(w world) error {
	switch {
	case c.Check:
		return c.check(w)
	case c.Delete:
		return c.delete(w)
	}
	return c.set(w)
}

func (c *passwdCmd) set(w world) error {
	if err := passwd.CheckUser(c.User); err != nil {
		return err
	}
	password, err := newPassword(os.Stdin, w.err, c.User)
	if err != nil {
		return err
	}
	line, err := passwd.Make(c.User, password, c.Iterations)
	if err != nil {
		return fmt.Errorf("%w; nothing was changed", err)
	}
	text, err := os.ReadFile(c.File)
	created := errors.Is(err, fs.ErrNotExist)
	if err != nil && !created {
		return fmt.Errorf("the password file cannot be read, and was not changed: %w", err)
	}
	after := passwd.Set(text, c.User, line)
	if err := durable.Replace(c.File, after, 0o600); err != nil {
		return err
	}
	if created {
		if err := forService(c.File); err != nil {
			return err
		}
	}
	_, had := passwd.Delete(text, c.User)
	switch {
	case created:
		fmt.Fprintf(w.out, "%s: created, with user %q\n", c.File, c.User)
	case had:
		fmt.Fprintf(w.out, "%s: the password of user %q is changed\n", c.File, c.User)
	default:
		fmt.Fprintf(w.out, "%s: user %q is added\n", c.File, c.User)
	}
	c.remind(w, after)
	return nil
}

// forService lets the service read a file that root has made.
func forService(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	g, err := user.LookupGroup("edged")
	if err != nil {
		return nil // edged is not installed as a service here
	}
	gid, err := strconv.Atoi(g.Gid)
	if err == nil {
		err = os.Chown(path, 0, gid)
	}
	if err == nil {
		err = os.Chmod(path, 0o640)
	}
	if err != nil {
		return fmt.Errorf("the group edged cannot be given the right to read the file: %w", err)
	}
	return nil
}

func (c *passwdCmd) delete(w world) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("the password file cannot be read: %w", err)
	}
	after, had := passwd.Delete(text, c.User)
	if !had {
		return fmt.Errorf("%s: there is no user %q", c.File, c.User)
	}
	if err := durable.Replace(c.File, after, 0o600); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "%s: user %q is deleted\n", c.File, c.User)
	c.remind(w, after)
	return nil
}

// remind says that other lines of a file that was written are wrong.
func (c *passwdCmd) remind(w world, text []byte) {
	if _, problems := passwd.Parse(text); len(problems) > 0 {
		fmt.Fprintf(w.err, "edged: other lines of %s are wrong, as before: edged passwd --check %s lists them\n", c.File, c.File)
	}
}

func (c *passwdCmd) check(w world) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("the password file cannot be read: %w", err)
	}
	f, problems := passwd.Parse(text)
	for _, p := range problems {
		fmt.Fprintf(w.err, "%s:%d: %s\n", c.File, p.Line, p.Text)
	}
	if len(problems) > 0 {
		return errSaid
	}
	if c.User == "" {
		fmt.Fprintf(w.out, "%s: ok, users: %d\n", c.File, f.Len())
		return nil
	}
	if _, ok := f.Entry(c.User); !ok {
		return fmt.Errorf("%s: there is no user %q", c.File, c.User)
	}
	password, err := readPassword(os.Stdin, w.err, fmt.Sprintf("Password of %s: ", c.User))
	if err != nil {
		return err
	}
	if !f.Check(c.User, password) {
		return fmt.Errorf("%s: this is not the password of user %q", c.File, c.User)
	}
	fmt.Fprintf(w.out, "%s: this is the password of user %q\n", c.File, c.User)
	return nil
}

// newPassword asks twice on a terminal, since nobody sees what they type.
func newPassword(in *os.File, prompts io.Writer, user string) (string, error) {
	first, err := readPassword(in, prompts, fmt.Sprintf("New password of %s: ", user))
	if err != nil || !term.IsTerminal(int(in.Fd())) {
		return first, err
	}
	second, err := readPassword(in, prompts, "The same again: ")
	if err == nil && first != second {
		err = errors.New("the two passwords differ; nothing was changed")
	}
	return second, err
}

// readPassword reads a line, without showing it if it comes from a terminal. A signal ends it, and leaves the terminal as it was.
func readPassword(in *os.File, prompts io.Writer, prompt string) (string, error) {
	fd := int(in.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return readLine(in)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	type answer struct {
		text []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() { // after a signal it waits until the process ends
		text, err := term.ReadPassword(fd)
		answers <- answer{text, err}
	}()
	fmt.Fprint(prompts, prompt)
	defer fmt.Fprintln(prompts)
	select {
	case a := <-answers:
		if a.err != nil {
			return "", fmt.Errorf("no password was typed: %w", a.err)
		}
		return string(a.text), nil
	case <-signals:
		_ = term.Restore(fd, state)
		return "", errors.New("interrupted; nothing was changed")
	}
}

// readLine reads a line that a program wrote. It reads no further than a password can be long.
func readLine(in io.Reader) (string, error) {
	const most = 1 << 17
	line, err := bufio.NewReader(io.LimitReader(in, most)).ReadString('\n')
	if err != nil && (err != io.EOF || line == "") {
		return "", fmt.Errorf("there is no password on standard input: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}
