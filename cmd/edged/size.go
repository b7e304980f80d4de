package main

import (
	"encoding/json"
	"fmt"
	"time"

	"edged/configs/sizing"
	"edged/internal/conf"
)

type sizeCmd struct {
	File string `arg:"" optional:"" name:"config" help:"Configuration file; the same as --config."`
	configFlag
	Rate    []string      `sep:"none" help:"Messages that come in, such as 50/s or 8/min; of some topics: 'site/+/gpio/+=50/s'. May be given several times." placeholder:"[TOPICS=]RATE"`
	Topics  int           `help:"Topics that the messages of one rate are spread over. Each is taken as a group." placeholder:"N"`
	Bytes   int           `help:"Bytes of a payload." placeholder:"N"`
	QoS     int           `name:"qos" help:"0, 1 or 2: with 0 nobody waits for an acknowledgement." enum:"0,1,2" default:"1"`
	Pins    string        `help:"Changes of a pin that reports edges, such as 6/min." placeholder:"RATE"`
	Sync    time.Duration `help:"Time that the disk takes for a commit." placeholder:"TIME"`
	CardTBW float64       `name:"card-tbw" help:"TB that can be written to the card before it is worn out." placeholder:"TB"`
	Free    string        `help:"Room on the disk, such as 20GB. Default: what is free where data_dir is, or will be." placeholder:"SIZE"`
	JSON    bool          `help:"Print it as JSON."`
}

// Run implements the command.
func (c *sizeCmd) Run(w world) error {
	if c.File != "" {
		c.Config = c.File
	}
	cfg, err := c.load(w, false)
	if err != nil {
		return err
	}
	ask, err := c.ask(cfg.DataDir)
	if err != nil {
		return err
	}
	r, err := sizing.Make(cfg, ask)
	if err != nil {
		return err
	}
	if !c.JSON {
		return r.Write(w.out)
	}
	enc := json.NewEncoder(w.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

// ask is what the flags say. A directory that is not there yet is looked for where it will be.
func (c *sizeCmd) ask(dir string) (a sizing.Ask, err error) {
	a = sizing.Ask{Rates: c.Rate, Topics: c.Topics, Bytes: c.Bytes, QoS: c.QoS, Sync: c.Sync, TBW: c.CardTBW}
	if c.Pins != "" {
		if err := a.Pins.SetTOML(c.Pins); err != nil {
			return a, fmt.Errorf("--pins: %w", err)
		}
	}
	if c.Free == "" {
		a.Free = freeBytes(dir)
		return a, nil
	}
	var free conf.Size
	if err := free.SetTOML(c.Free); err != nil {
		return a, fmt.Errorf("--free: %w", err)
	}
	a.Free = int64(free)
	return a, nil
}
