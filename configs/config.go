package configs

import (
	"edged/batches"
	"edged/blockstore"
	"edged/broker"
	"edged/gpio"
	"edged/internal/conf"
	"edged/receiver"
	"edged/sinks"
	"edged/sinks/spec"
)

// Config is a whole configuration file.
type Config struct {
	File        string
	DataDir     string
	MemoryLimit conf.AutoSize
	Log         *Log
	HTTP        *HTTP
	Broker      *broker.Config // nil: no embedded broker
	GPIO        *gpio.Config   // nil: no pins
	Receivers   []Receiver
	Block       *receiver.Block
	Store       *blockstore.Config
	Batch       *batches.Config
	DeadLetters *sinks.DeadLetters
	Streams     []Stream
	Sinks       []Sink
	Written     map[string]string // what the file says in a table, by its title ("sink.cloud"): see conf.Table.Written; a stream's without sinks and start
}

// Receiver is one [receiver.NAME] table.
type Receiver struct {
	Name   string
	Common *receiver.Common
	Config receiver.Config
}

// Stream is one [stream.NAME] table, compiled.
type Stream struct {
	*batches.StreamConfig
	Plan *batches.Plan
}

// Sink is one [sink.NAME] table.
type Sink struct {
	Name    string
	Common  *sinks.Common
	Config  spec.Config
	Streams []string // that name it: NAME in sinks, NAME.late in late
}

// top are the keys outside of any table.
type top struct {
	DataDir     string        `toml:"data_dir" doc:"where the store, and files with relative paths, are kept. Default: $STATE_DIRECTORY, which systemd sets, else /var/lib/edged"`
	MemoryLimit conf.AutoSize `toml:"memory_limit" doc:"soft limit of the process's memory (GOMEMLIMIT); auto = half of the machine's or cgroup's, at most 512MiB"`

	Log         *conf.Table `toml:"log"`
	HTTP        *conf.Table `toml:"http"`
	Broker      *conf.Table `toml:"broker"`
	GPIO        *conf.Table `toml:"gpio"`
	Receiver    *conf.Table `toml:"receiver"`
	Block       *conf.Table `toml:"block"`
	Store       *conf.Table `toml:"store"`
	Batch       *conf.Table `toml:"batch"`
	DeadLetters *conf.Table `toml:"dead_letters"`
	Stream      *conf.Table `toml:"stream"`
	Sink        *conf.Table `toml:"sink"`
}

func defaultTop() *top {
	return &top{DataDir: defaultDataDir(), MemoryLimit: conf.AutoSize{Auto: true}}
}

// Load reads and checks a configuration. file is its name in messages. The Config is nil if there are problems; notes are
// what is worth saying and no mistake. Nothing is started, and nothing is written.
func Load(file string, text []byte) (c *Config, problems, notes []conf.Problem) {
	doc := conf.Parse(file, text)
	root := doc.Root()
	t := defaultTop()
	root.Bind(t)
	c = &Config{File: file, DataDir: absolute(t.DataDir), MemoryLimit: t.MemoryLimit}
	if len(doc.Problems()) == 0 {
		checkDataDir(root, c.DataDir)
	}
	c.Log = loadLog(t.Log)
	c.HTTP = loadHTTP(t.HTTP)
	c.HTTP.checkFiles(t.HTTP, c.DataDir)
	if t.Broker != nil {
		c.Broker = broker.Load(t.Broker, c.DataDir)
	}
	if t.GPIO != nil {
		c.GPIO = gpio.Load(t.GPIO, c.DataDir)
		if c.GPIO.PublishTo == gpio.Embedded && t.Broker == nil {
			t.GPIO.Errorf("publish_to", `publish_to = "embedded" needs a [broker] table; or name an external broker, such as "tcp://192.168.1.10:1883"`)
		}
	}
	c.Block = receiver.LoadBlock(t.Block)
	c.Store = blockstore.Load(t.Store)
	c.Batch = batches.Load(t.Batch)
	c.DeadLetters = sinks.LoadDeadLetters(t.DeadLetters)
	c.loadReceivers(t.Receiver)
	c.loadStreams(t.Stream)
	c.loadSinks(t.Sink)
	c.cross(root, t)
	if problems = doc.Problems(); len(problems) > 0 {
		return nil, problems, nil
	}
	c.Written = t.written()
	return c, nil, doc.Notes()
}

// written is what the file says of each part that can be exchanged on its own.
func (t *top) written() map[string]string {
	out := map[string]string{"gpio": t.GPIO.Written(), "dead_letters": t.DeadLetters.Written()}
	each(t.Receiver, func(sub *conf.Table) { out[sub.Title()] = sub.Written() })
	each(t.Stream, func(sub *conf.Table) { out[sub.Title()] = sub.Written("sinks", "start") })
	each(t.Sink, func(sub *conf.Table) { out[sub.Title()] = sub.Written() })
	return out
}

// each calls f for every named table below t, and reports what is no table or has a bad name.
func each(t *conf.Table, f func(sub *conf.Table)) {
	if t == nil {
		return
	}
	for _, name := range t.Keys() {
		sub := t.Sub(name)
		if sub == nil {
			continue
		}
		if err := conf.CheckName(name); err != nil {
			sub.Errorf("", "[%s]: %v", sub.Title(), err)
			continue
		}
		f(sub)
	}
}
