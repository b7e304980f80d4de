package daemon

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"edged/batches"
	"edged/blockstore"
	"edged/broker"
	"edged/broker/seldom"
	"edged/configs"
	"edged/internal/clock"
	"edged/internal/durable"
	"edged/internal/guard"
	"edged/internal/reload"
	"edged/sinks/delivery"

	"github.com/VictoriaMetrics/metrics"
)

// Options make a Daemon.
type Options struct {
	Config      *configs.Config
	Text        []byte                                       // that Config was made from
	Read        func() (file string, text []byte, err error) // reads the configuration again; nil if there is no file
	Log         *slog.Logger
	Stdout      io.Writer      // of console sinks
	Level       *slog.LevelVar // of Log: what log.level changes while it runs; nil if nothing does
	NoReceivers bool           // drain what is stored, take nothing in (Spark: skipReceiverLaunch)
	Version     string
}

// Daemon is a gateway.
type Daemon struct {
	o       Options
	log     *slog.Logger
	set     *metrics.Set
	started time.Time
	memory  int64 // the memory limit at the start, bytes; 0: somebody else's
	heap    int64 // its usual size, bytes

	store   *blockstore.Store
	clock   *clock.Clock
	trusted *trust
	broker  *broker.Broker // nil without [broker], and when nothing is taken in
	gate    *delivery.Gate
	presses *pressure
	sound   batches.Sound // what the streams know of the log for each other
	http    net.Listener  // nil if it is turned off
	guard   *guard.Guard
	files   *reload.Group // that are read again when they change
	seldom  *seldom.Log
	refused *metrics.Counter // requests without the token
	shut    *metrics.Counter // connections above the limit

	inUse atomic.Pointer[parts]
	doors map[string]*door // of the receivers from the embedded broker; New's, then the reloads'
	// What runs: New's, Run's, between its start and its stop the reloads'.
	pins, outlets, receivers, streams, sinks *phase

	hangups  chan struct{}    // a SIGHUP that was not come to
	asks     chan chan Report // reloads that somebody waits for
	over     chan struct{}    // closed when no reload is done any more
	halfway  chan error       // what kept a reload from its end
	failed   atomic.Pointer[failedReload]
	patience time.Duration // exchangeWithin, but in tests
	changes  sync.Mutex    // held by a reload, and by what may not meet one

	replays sync.Map // those under way, by stream

	state  atomic.Int32
	tapped atomic.Int64
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
	d := &Daemon{
		o: o, log: o.Log, set: metrics.NewSet(), started: time.Now(), trusted: newTrust(clock.Trusted), doors: map[string]*door{},
		pins: newPhase("gpio"), outlets: newPhase("the publisher of the pins"), receivers: newPhase("the receivers"), streams: newPhase("the streams"), sinks: newPhase("the sinks"),
		hangups: make(chan struct{}, 1), asks: make(chan chan Report), over: make(chan struct{}), patience: exchangeWithin, halfway: make(chan error, 1),
	}
	d.inUse.Store(&parts{c: o.Config})
	d.files, d.seldom = reload.New(d.log), seldom.New(d.log)
	d.refused, d.shut = d.set.NewCounter("edged_http_refused_total"), d.set.NewCounter("edged_http_connections_refused_total")
	if err := d.open(o.Config); err != nil {
		d.closeAll()
		return nil, err
	}
	d.presses = newPressure(d.set, d.now)
	p := d.makeParts(o.Config, nil, nil)
	d.wire(p)
	d.use(p, sha256.Sum256(o.Text))
	return d, nil
}

// open opens what the place may refuse: directory, ports, store.
func (d *Daemon) open(c *configs.Config) (err error) {
	store := *c.Store
	d.memory = limitMemory(c.MemoryLimit)
	if fits := cacheWithin(d.memory, store.MemoryCache); fits < store.MemoryCache {
		d.log.Info("memory is short: fewer recent blocks are kept in it than configured, and more are read from the disk", "memory_limit", d.memory, "memory_cache", fits)
		store.MemoryCache = fits
	}
	d.heap = usualHeap(store.MemoryCache)
	if err := makeDataDir(c.DataDir); err != nil {
		return err
	}
	if c.HTTP.Listen != "" {
		d.guard = guard.New(guard.Config{TokenFile: c.HTTP.TokenFile, TLS: c.HTTP.TLS, Dir: c.DataDir})
		if files := d.guard.Files(); len(files) > 0 {
			d.files.Add("http", files, d.guard.Reload)
		}
		if err := d.guard.Reload(); err != nil {
			return fmt.Errorf("http.%w; edged does not start without it", err)
		}
		if d.http, err = net.Listen("tcp", c.HTTP.Listen); err != nil {
			return listenError("http.listen", c.HTTP.Listen, err)
		}
	}
	opened := patience()
	d.store, err = blockstore.Open(c.DataDir, &store, d.log, d.set)
	if opened(); err != nil {
		return err
	}
	if err := d.store.Claim(Known(c)); err != nil {
		return err
	}
	d.clock = clock.New(d.store.LastInstant())
	if c.Broker == nil || d.o.NoReceivers {
		return nil
	}
	if d.broker, err = broker.New(c.Broker, broker.Options{Log: d.log, Metrics: d.set, Retained: retained{d.store}, Store: d.store, Hold: min(8<<20, int64(store.MaxBytes)/16), Version: d.o.Version, Patience: d.store.Patience}); err != nil {
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
