package broker

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"edged/broker/acl"
	"edged/broker/passwd"
	"edged/broker/wire"
	"edged/internal/secret"
)

// access is who may come in and who may do what: the password file and the ACL file, as last read.
type access struct {
	passwords atomic.Pointer[passwd.File] // nil: no password_file
	rules     atomic.Pointer[acl.Rules]   // nil: no acl_file

	reading sync.Mutex
}

// profile is what a client may do; nil: everything.
func (a *access) profile(user, client string) *acl.Profile {
	if r := a.rules.Load(); r != nil {
		return r.For(user, client)
	}
	return nil
}

// stillRight reports whether the entry with which a client has come in is the one that is in force.
func (a *access) stillRight(c *conn) bool {
	if c.entry == "" {
		return true
	}
	now, _ := a.passwords.Load().Entry(c.user)
	return now == c.entry
}

// Files are the files that are worth reading again when they change, by what reads them: passwords, rules, certificates. Those
// that are not configured are left out.
func (b *Broker) Files() (passwords, rules, certificates []string) {
	find := func(names ...string) (paths []string) {
		for _, name := range names {
			if name != "" {
				paths = append(paths, secret.Find(name, b.cfg.Dir))
			}
		}
		return paths
	}
	return find(b.cfg.PasswordFile), find(b.cfg.ACLFile), find(b.cfg.TLS.Cert, b.cfg.TLS.Key, b.cfg.TLS.ClientCA)
}

// ReloadPasswords reads the password file again. A client whose entry has changed or gone is disconnected, and logs in again if it
// can. With an error nothing has changed.
func (b *Broker) ReloadPasswords() error {
	b.access.reading.Lock()
	defer b.access.reading.Unlock()
	f, err := readPasswords(secret.Find(b.cfg.PasswordFile, b.cfg.Dir))
	if err != nil {
		return err
	}
	b.access.passwords.Store(f)
	b.sessions.each(func(s *session) {
		if s.conn == nil || s.conn.entry == "" {
			return
		}
		if now, _ := f.Entry(s.conn.user); now != s.conn.entry {
			s.conn.goodbye(wire.NotAuthorized, errors.New("its entry in password_file was changed or removed"))
		}
	})
	return nil
}

// ReloadRules reads the ACL file again. It applies to connected clients from then on. With an error nothing has changed.
func (b *Broker) ReloadRules() error {
	b.access.reading.Lock()
	defer b.access.reading.Unlock()
	r, err := readRules(secret.Find(b.cfg.ACLFile, b.cfg.Dir))
	if err != nil {
		return err
	}
	b.access.rules.Store(r)
	b.sessions.each(func(s *session) { s.profile.Store(b.access.profile(s.user, s.id)) })
	b.routes.changed()
	return nil
}

// ReloadCertificates reads certificate and key again. Connected clients stay.
func (b *Broker) ReloadCertificates() error { return b.tls.Reload() }

func readPasswords(path string) (*passwd.File, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	f, problems := passwd.Parse(text)
	if len(problems) > 0 {
		return nil, problemsOf(path, problems, func(p passwd.Problem) (int, string) { return p.Line, p.Text })
	}
	return f, nil
}

func readRules(path string) (*acl.Rules, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	r, problems := acl.Parse(text)
	if len(problems) > 0 {
		return nil, problemsOf(path, problems, func(p acl.Problem) (int, string) { return p.Line, p.Text })
	}
	return r, nil
}

func readFile(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, secret.Bare(err))
	}
	return text, nil
}

// problemsOf is the first problem of a file, and how many more there are.
func problemsOf[P any](path string, problems []P, of func(P) (line int, text string)) error {
	line, text := of(problems[0])
	if more := len(problems) - 1; more > 0 {
		text = fmt.Sprintf("%s (and %d more)", text, more)
	}
	return fmt.Errorf("%s:%d: %s", path, line, text)
}
