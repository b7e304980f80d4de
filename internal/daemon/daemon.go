package daemon

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"edged"

	"edged/batches"
	"edged/blockstore"
	"edged/broker"
	"edged/broker/remote"
	"edged/broker/seldom"
	"edged/configs"
	"edged/gpio"
	"edged/internal/clock"
	"edged/internal/durable"
	"edged/internal/guard"
	"edged/internal/reload"
	"edged/internal/supervise"
	"edged/receiver"
	"edged/sinks/delivery"

	"github.com/VictoriaMetrics/metrics"
)

// Options make a Daemon.
type Options struct {
	Config      *configs.Config
	Log         *slog.Logger
	Stdout      io.Writer // of console sinks
	NoReceivers bool      // drain what is stored, take nothing in (Spark: skipReceiverLaunch)
	Version     string
}

// Daemon is a gateway.
type Daemon struct {
	o       Options
	c       *configs.Config
	log     *slog.Logger
	set     *metrics.Set
	started time.Time

	store     *blockstore.Store
	clock     *clock.Clock
	trusted   *trust
	broker    *broker.Broker // nil without [broker], and when nothing is taken in
	gpio      *gpio.Room     // nil without [gpio]
	publisher *publisher     // of the pins to an external broker; nil without
	inputs    []*input
	streams   []*stream
	writers   []*writer
	known     []string // names of the cursors that the configuration has
	gate      *delivery.Gate
	pressure  *pressure
	http      net.Listener // nil if it is turned off
	guard     *guard.Guard
	reload    *reload.Group
	seldom    *seldom.Log
	refused   *metrics.Counter // requests without the token
	shut      *metrics.Counter // connections above the limit

	state  atomic.Int32
	tapped atomic.Int64
}

type input struct {
	name string
	base edged.ReceiverTotal // of earlier runs
	*receiver.Supervisor
}

type stream struct {
	*batches.Stream
	part supervise.Part
}

type writer struct {
	*delivery.Writer
	part supervise.Part
}

type publisher struct {
	*remote.Publisher
	part supervise.Part
}

// The states of the lifecycle.
const (
	initialized int32 = iota
	started
	stopping
	stopped
)

var stateNames = [...]string{"initialized", "started", "stopping", "stopped"}

// New makes a gateway: it opens the store and the listeners, so that whatever must stop the start does so here, as one
// error. Run runs it; after an error nothing is left open.
func New(o Options) (*Daemon, error) {
	d := &Daemon{o: o, c: o.Config, log: o.Log, set: metrics.NewSet(), started: time.Now(), trusted: newTrust(clock.Trusted)}
	d.reload, d.seldom = reload.New(d.log), seldom.New(d.log)
	d.refused, d.shut = d.set.NewCounter("edged_http_refused_total"), d.set.NewCounter("edged_http_connections_refused_total")
	limit := limitMemory(o.Config.MemoryLimit)
	if fits := cacheWithin(limit, d.c.Store.MemoryCache); fits < d.c.Store.MemoryCache {
		d.log.Info("memory is short: fewer recent blocks are kept in it than configured, and more are read from the disk", "memory_limit", limit, "memory_cache", fits)
		d.c.Store.MemoryCache = fits
	}
	if err := d.open(); err != nil {
		d.closeAll()
		return nil, err
	}
	d.makeGPIO()
	d.makeStreams()
	d.makeSinks()
	d.makeReceivers()
	d.makeSessions()
	d.registerGauges()
	return d, nil
}

// open opens what the place may refuse: directory, ports, store.
func (d *Daemon) open() (err error) {
	if err := makeDataDir(d.c.DataDir); err != nil {
		return err
	}
	if d.c.HTTP.Listen != "" {
		d.guard = guard.New(guard.Config{TokenFile: d.c.HTTP.TokenFile, TLS: d.c.HTTP.TLS, Dir: d.c.DataDir})
		if files := d.guard.Files(); len(files) > 0 {
			d.reload.Add("http", files, d.guard.Reload)
		}
		if err := d.guard.Reload(); err != nil {
			return fmt.Errorf("http.%w; edged does not start without it", err)
		}
		if d.http, err = net.Listen("tcp", d.c.HTTP.Listen); err != nil {
			return listenError("http.listen", d.c.HTTP.Listen, err)
		}
	}
	opened := patience()
	d.store, err = blockstore.Open(d.c.DataDir, d.c.Store, d.log, d.set)
	if opened(); err != nil {
		return err
	}
	d.known = Known(d.c)
	if err := d.store.Claim(d.known); err != nil {
		return err
	}
	d.clock = clock.New(d.store.LastInstant())
	if d.c.Broker == nil || d.o.NoReceivers {
		return nil
	}
	if d.broker, err = broker.New(d.c.Broker, broker.Options{Log: d.log, Metrics: d.set, Retained: retained{d.store}, Store: d.store, Hold: min(8<<20, int64(d.c.Store.MaxBytes)/16), Version: d.o.Version}); err != nil {
		return err
	}
	d.watchBroker()
	return d.broker.Listen()
}

// Addrs are the addresses on which the broker listens; none without an embedded broker.
func (d *Daemon) Addrs() []net.Addr {
	if d.broker == nil {
		return nil
	}
	return d.broker.Addrs()
}

// Reload has every part read again the files that the configuration names, as on SIGHUP: certificates, tokens. It does not
// wait for it, and can be called from any goroutine, before Run, too. What cannot be used is logged, and what was read
// before stays in use.
func (d *Daemon) Reload() { d.reload.All() }

// HTTPAddr is the address of health, metrics and status; nil if it is turned off.
func (d *Daemon) HTTPAddr() net.Addr {
	if d.http == nil {
		return nil
	}
	return d.http.Addr()
}

func (d *Daemon) closeAll() {
	if d.http != nil {
		d.http.Close()
	}
	if d.store != nil {
		d.store.Close()
	}
}

// makeDataDir makes the data directory; its name is durable when it returns, and those of the directories above that were
// made for it.
func makeDataDir(dir string) error {
	var parents []string // of what is made
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		parents = append(parents, filepath.Dir(at))
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("data_dir: %w; make the directory, or choose another%s", err, configs.UnitHint(dir))
	}
	for _, p := range parents {
		d, err := os.Open(p)
		if err != nil {
			return fmt.Errorf("data_dir: %w", err)
		}
		err = durable.Sync(d)
		d.Close()
		if err != nil {
			return fmt.Errorf("data_dir: %w", err)
		}
	}
	return nil
}

func listenError(key, addr string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return fmt.Errorf("%s: cannot listen on %s: %w; is another edged, or another program, using it? (ss -ltnp)", key, addr, err)
}
