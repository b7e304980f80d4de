package broker

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"edged/broker/index"
	"edged/broker/intake"
	"edged/broker/limit"
	"edged/broker/seldom"
	"edged/broker/transport"
	"edged/internal/secret"

	"github.com/VictoriaMetrics/metrics"
)

// Bounds that are not worth a key.
const (
	// pending bounds the unacknowledged publishes of a 3.1.1 client, which may have 65,535, and of the gateway itself.
	pending = 10_000
	// keptPerSession and keptInAll bound the memory of what is kept for subscribers until it is durable and delivered.
	keptPerSession = 1 << 20
	keptInAll      = 8 << 20
)

// Options is what a Broker is given besides its configuration.
type Options struct {
	Log      *slog.Logger
	Metrics  *metrics.Set
	Retained Retained // nil: retained messages live in memory only
	Store    Store    // nil: sessions live in memory only
	Hold     int64    // bytes of the log that may be held for sessions that are behind; what they want of more is copied. 0: 8 MiB
	Version  string   // for $SYS

	// Patience is how long an acknowledgement has to wait as things are, at most; 0: it comes as soon as it can. nil: always 0. It is asked often, by any goroutine.
	Patience func() time.Duration
}

// Broker is the embedded broker. Make it with New, attach receivers, then Listen and Run. Its methods can be called from
// any goroutine, except Listen and Run, which are called once, in this order.
type Broker struct {
	served atomic.Uint64 // choices of members of shared subscriptions
	cfg    *Config
	log    *slog.Logger
	seldom *seldom.Log
	met    *meters

	in       *intake.Intake
	local    *intake.Session // of publishes from within the process
	lane     lane            // of them
	routes   routes
	sessions sessions
	retained retained
	wills    wills
	fanout   fanout
	taps     taps
	sys      sys
	low      lowWater
	keeping  keeping

	tls      *transport.TLS // nil: no certificate
	access   access
	failures *limit.Rate   // of logins
	checks   chan struct{} // has a token for each password that is being checked

	listeners []*transport.Listener
	conns     conns
	partials  partials
	deposits  deposits
	backlogs  atomic.Int64 // bytes on their way to all clients
	queued    atomic.Int64 // bytes that wait for all subscribers
	queues    atomic.Int64 // subscribers that something waits for
	patience  func() time.Duration
	beat      beat
	seconds   atomic.Int64 // a clock that costs nothing: since Run, about
	running   atomic.Bool
}

// New makes a broker, reads the files that it needs, and loads the retained messages and the sessions. It opens no port.
func New(cfg *Config, o Options) (*Broker, error) {
	if o.Log == nil || o.Metrics == nil {
		return nil, errors.New("broker: Options needs Log and Metrics")
	}
	b := &Broker{cfg: cfg, log: o.Log, seldom: seldom.New(o.Log), checks: make(chan struct{}, checking), patience: o.Patience}
	b.in = intake.New(intake.Limits{Inflight: cfg.MaxInflight, Pending: pending, Bytes: keptPerSession, Total: keptInAll}, b.seldom, o.Metrics)
	b.local = b.in.NewSession("")
	b.routes.subs, b.routes.maxLevels, b.routes.maxLength = index.New[*subscription](), cfg.MaxTopicLevels, cfg.MaxTopicLength
	b.routes.changes.Store(1) // 0 is before everything
	b.routes.seed = maphash.MakeSeed()
	b.sessions.b, b.sessions.byID = b, map[string]*session{}
	b.retained.b, b.retained.store, b.retained.max, b.retained.most = b, o.Retained, cfg.MaxRetained, int64(cfg.MaxRetainedBytes)
	b.keeping.b, b.keeping.store, b.keeping.every, b.keeping.pause, b.keeping.most = b, o.Store, rideEvery, againAfter, cmp.Or(o.Hold, sessionsHold)
	b.low.end = func() uint64 { return 0 }
	if o.Store != nil {
		b.low.end = o.Store.End
	}
	b.wills.b, b.taps.b, b.sys.b, b.sys.version = b, b, b, o.Version
	b.fanout.b, b.fanout.wake = b, make(chan struct{}, 1)
	b.conns.cfg, b.conns.all = cfg, map[net.Conn]*conn{}
	b.conns.rate = limit.NewRate(float64(cfg.ConnectsPerSecond), 2*cfg.ConnectsPerSecond)
	b.failures = limit.NewRate(float64(cfg.MaxFailedLogins)/60, cfg.MaxFailedLogins)
	b.met = newMeters(b, o.Metrics)
	if err := b.readFiles(); err != nil {
		return nil, err
	}
	if err := b.retained.load(); err != nil {
		return nil, err
	}
	if err := b.keeping.load(); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Broker) readFiles() (err error) {
	if b.tls, err = b.cfg.tls(); err != nil {
		return fmt.Errorf("broker: tls: %w", err)
	}
	if b.cfg.PasswordFile != "" {
		f, err := readPasswords(secret.Find(b.cfg.PasswordFile, b.cfg.Dir))
		if err != nil {
			return fmt.Errorf("broker: password_file: %w", err)
		}
		b.access.passwords.Store(f)
	}
	if b.cfg.ACLFile != "" {
		r, err := readRules(secret.Find(b.cfg.ACLFile, b.cfg.Dir))
		if err != nil {
			return fmt.Errorf("broker: acl_file: %w", err)
		}
		b.access.rules.Store(r)
	}
	return nil
}
