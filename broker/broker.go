package broker

import (
	"errors"
	"log/slog"
	"math"
	"net"
	"sync/atomic"

	"edged/broker/intake"
	"edged/broker/seldom"

	"github.com/VictoriaMetrics/metrics"
	mqtt "github.com/mochi-mqtt/server/v2"
)

// Bounds that are not worth a key.
const (
	// pending bounds the unacknowledged publishes of a 3.1.1 client, which may have 65,535, and of the gateway itself.
	pending = 10_000
	// keptPerSession and keptInAll bound the memory of what is kept for subscribers until it is durable and delivered.
	keptPerSession = 1 << 20
	keptInAll      = 16 << 20
	// libraryQueue is the queue that the library has for each client; only $SYS goes through it.
	libraryQueue = 64
	// sysInterval is the time between two publications of $SYS, in seconds.
	sysInterval = 30
	readBuffer  = 4 << 10
)

// Options is what a Broker is given besides its configuration.
type Options struct {
	Log      *slog.Logger
	Metrics  *metrics.Set
	Retained Retained // nil: retained messages live in memory only
}

// Broker is the embedded broker. Make it with New, attach receivers, then Listen and Run. Its methods can be called from
// any goroutine, except Listen and Run, which are called once, in this order.
type Broker struct {
	cfg    *Config
	log    *slog.Logger
	seldom *seldom.Log
	met    *meters
	srv    *mqtt.Server

	in       *intake.Intake
	local    *intake.Session // of publishes from within the process
	routes   routes
	sessions sessions
	retained retained
	wills    wills
	fanout   fanout
	taps     taps

	listeners []net.Listener
	conns     conns
	running   atomic.Bool
}

// New makes a broker and loads the retained messages. It opens no port.
func New(cfg *Config, o Options) (*Broker, error) {
	if o.Log == nil || o.Metrics == nil {
		return nil, errors.New("broker: Options needs Log and Metrics")
	}
	b := &Broker{cfg: cfg, log: o.Log, seldom: seldom.New(o.Log)}
	b.in = intake.New(intake.Limits{Inflight: cfg.MaxInflight, Pending: pending, Bytes: keptPerSession, Total: keptInAll}, b.seldom, o.Metrics)
	b.local = b.in.NewSession("")
	b.srv = mqtt.New(&mqtt.Options{
		Logger:                  slog.New(demoted{o.Log.Handler()}),
		Capabilities:            capabilities(cfg),
		SysTopicResendInterval:  sysInterval,
		ClientNetReadBufferSize: readBuffer,
	})
	b.routes.srv, b.routes.maxLevels = b.srv, cfg.MaxTopicLevels
	b.sessions.b, b.sessions.byID = b, map[string]*session{}
	b.retained.b, b.retained.store, b.retained.max, b.retained.most = b, o.Retained, cfg.MaxRetained, int64(cfg.MaxRetainedBytes)
	b.wills.b, b.taps.b = b, b
	b.fanout.b, b.fanout.wake = b, make(chan struct{}, 1)
	b.conns.max, b.conns.all = cfg.MaxConnections+handshakes, map[*conn]struct{}{}
	b.met = newMeters(b, o.Metrics)
	if err := b.srv.AddHook(&hook{b: b}, nil); err != nil {
		return nil, err
	}
	if err := b.retained.load(); err != nil {
		return nil, err
	}
	return b, nil
}

// capabilities are the library's settings. What is not named is as in its defaults, which were read one by one.
func capabilities(cfg *Config) *mqtt.Capabilities {
	c := mqtt.NewDefaultServerCapabilities()
	c.MaximumPacketSize = uint32(cfg.MaxPacketSize)
	c.ReceiveMaximum = uint16(cfg.MaxInflight)
	c.MaximumClientWritesPending = libraryQueue
	c.MaximumSessionExpiryInterval = math.MaxUint32 // sessions ends them
	c.MaximumMessageExpiryInterval = 0              // none but what the publisher asks for
	c.TopicAliasMaximum = topicAliases
	c.Compatibilities.NoInheritedPropertiesOnAck = true // user properties are the publisher's, not ours to repeat
	return c
}
