package daemon

import (
	"fmt"

	"edged/broker/remote"
	"edged/internal/human"
)

func (p *speaker) receivers() {
	for _, r := range p.Receivers {
		who := "receiver " + r.Name
		if !p.stands(who, r.Part) && r.Link != nil {
			p.away(who, *r.Link, "")
		}
		if l := r.Link; l != nil && l.Dropped > 0 {
			p.note("%s: since its start %s has dropped %s because clients' queues were full, perhaps this one's: set max_queued_messages 0 in its mosquitto.conf",
				who, l.Broker, human.Plural(l.Dropped, "message", "messages"))
		}
		if !r.Balanced {
			p.unbalanced(who, r.InQueue, "messages")
		}
	}
}

// away says that there is no connection to an external broker, if there is none.
func (p *speaker) away(who string, l remote.LinkStatus, more string) {
	if !l.Connected && !l.Since.IsZero() {
		p.say("%s: no connection to %s since %s (%s)%s; check the link and the broker", who, l.Broker, p.time(l.Since), l.Error, more)
	}
}

func (p *speaker) pins() {
	if o := p.Publisher; o != nil && !p.stands("the publisher of the pins", o.Part) {
		more := ""
		if o.Waiting > 0 || o.Dropped > 0 {
			more = fmt.Sprintf(", %s, %s dropped so far", human.Plural(o.Waiting, "reading waits", "readings wait"), human.Count(o.Dropped))
		}
		p.away("the publisher of the pins", o.Link, more)
	}
	for _, pin := range p.Pins {
		switch {
		case pin.State == "waiting" || pin.State == "stopped":
			p.say("pin %s: %s: %s", pin.Name, pin.State, pin.LastError)
		case pin.PublishError != "":
			p.say("pin %s: readings are dropped, each is a gap in seq: %s", pin.Name, pin.PublishError)
		}
	}
}
