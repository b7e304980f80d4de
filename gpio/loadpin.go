package gpio

import (
	"time"

	"edged/gpio/wave"
	"edged/internal/conf"
	"edged/internal/kinds"
)

// maxDebounce keeps a debounced reading, whose time is that of its first edge, well below maxAge when it is queued.
const maxDebounce = 10 * time.Second

// check reports what is wrong with one pin, and completes what depends on other keys.
func (p *PinConfig) check(t *conf.Table, driver string) {
	if p.Direction == "out" {
		t.Errorf("direction", `direction: pins can only be read: want "in"`)
	} else {
		t.OneOf("direction", p.Direction, "in")
	}
	t.OneOf("pull", p.Pull, "up", "down", "none")
	if t.Has("edge") {
		t.OneOf("edge", p.Edge, "both", "rising", "falling")
	}
	switch driver {
	case "sim":
		p.checkSim(t)
	case "periph":
		p.checkPeriph(t)
	}
	p.checkWhen(t)
}

func (p *PinConfig) checkPeriph(t *conf.Table) {
	if p.Line == "" {
		t.Errorf("line", `[%s] needs line, like "GPIO17"`, t.Title())
	}
	if t.Has("wave") {
		t.Notef("wave", `wave is ignored with driver = "periph"`)
	}
	if !t.Has("edge") && !t.Has("interval") {
		t.Errorf("", `[%s] needs edge = "both" to report changes, or interval = "1s" to sample`, t.Title())
	}
}

func (p *PinConfig) checkSim(t *conf.Table) {
	if p.Line == "" {
		p.Line = p.Name
	}
	kind, ok := p.loadWave(t)
	if !ok {
		return
	}
	_, steps := p.Wave.New(p.Name).(wave.Stepper)
	switch {
	case t.Has("edge") && !steps:
		t.Errorf("edge", `edge: a %s wave has no edges; give interval = "1s" to sample it`, kind)
	case t.Has("edge") || t.Has("interval"):
	case kind == "square":
		p.Edge = "both"
	case steps:
		t.Errorf("", `[%s] needs interval = "1s" to sample its %s wave, or edge = "both" to report its changes`, t.Title(), kind)
	default:
		t.Errorf("", `[%s] needs interval = "1s" to sample its %s wave`, t.Title(), kind)
	}
	if p.Invert && !p.Wave.Digital() {
		t.Errorf("invert", "invert: the wave has other values than 0 and 1")
	}
}

// loadWave binds the wave, or takes the default. It returns false if the table is wrong; that is reported.
func (p *PinConfig) loadWave(t *conf.Table) (kind string, ok bool) {
	p.Wave = wave.Default()
	if p.WaveTable == nil {
		return "square", !t.Bad("wave")
	}
	k, ok := kinds.Pick(p.WaveTable, "kind", wave.Kinds())
	if !ok {
		return "", false
	}
	var named struct {
		Kind string `toml:"kind"`
	}
	w := k.New()
	p.WaveTable.Bind(&named, w)
	w.Check(p.WaveTable)
	for _, key := range conf.Describe(w) {
		ok = ok && !p.WaveTable.Bad(key.Key)
	}
	if ok {
		p.Wave = w
	}
	return k.Name, ok
}

// checkWhen checks the keys that say when a reading is due.
func (p *PinConfig) checkWhen(t *conf.Table) {
	switch {
	case t.Has("edge") && t.Has("interval"):
		t.Errorf("interval", "[%s] has edge and interval: give edge to report changes, or interval to sample", t.Title())
	case t.Has("interval") && !t.Bad("interval") && p.Interval.D() < time.Millisecond:
		t.Errorf("interval", "interval: want at least 1ms")
	}
	switch {
	case t.Bad("debounce"):
	case t.Has("debounce") && t.Has("interval"):
		t.Errorf("debounce", "debounce belongs to edge: a sampled pin is read once at each interval")
	case p.Debounce < 0 || p.Debounce.D() > maxDebounce:
		t.Errorf("debounce", "debounce: want 0 to %v", maxDebounce)
	}
}
