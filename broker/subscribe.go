package broker

import (
	"strings"

	"edged/internal/topic"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// noRetained tells the library not to send retained messages (MQTT 5, 3.8.3.1): it sends them past the outbox, misses some,
// and drops what does not fit into a channel. They are sent by sendRetained.
const noRetained = 2

// subscription is a subscription being made.
type subscription struct {
	packets.Subscription
	existed bool
	excess  bool // past max_subscriptions
}

// subscribing checks the filters of a SUBSCRIBE. One that is wrong is emptied, so that the library refuses it alone with
// 0x8F (3.1.1: 0x80); one too many likewise, see refuseExcess.
func (c *conn) subscribing(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	c.subscribed = c.subscribed[:0]
	room := c.b.cfg.MaxSubscriptions - cl.State.Subscriptions.Len()
	for i := range pk.Filters {
		sub := &pk.Filters[i]
		_, existed := cl.State.Subscriptions.Get(sub.Filter)
		valid := c.b.validFilter(sub.Filter)
		excess := valid && !existed && room <= 0
		if !valid || excess {
			sub.Filter = ""
		} else if !existed {
			room--
		}
		c.subscribed = append(c.subscribed, subscription{*sub, existed, excess})
		sub.RetainHandling = noRetained
		if strings.HasSuffix(sub.Filter, "+/#") {
			c.b.routes.parents.Store(true)
		}
	}
	return pk
}

// refuseExcess puts the reason into a SUBACK that is about to be sent. codes is the library's.
func (c *conn) refuseExcess(codes []byte) {
	for i, sub := range c.subscribed {
		if !sub.excess || i >= len(codes) {
			continue
		}
		if c.v5() {
			codes[i] = packets.ErrQuotaExceeded.Code
		}
		c.b.met.tooManySubs.Inc()
		c.b.seldom.Warn("max_subscriptions", "broker: a subscription was refused, because the client has max_subscriptions already; raise it if these are yours",
			"client", c.session.id, "max_subscriptions", c.b.cfg.MaxSubscriptions)
	}
}

func (b *Broker) validFilter(filter string) bool {
	if strings.Count(filter, "/") >= b.cfg.MaxTopicLevels {
		return false
	}
	if mqtt.IsSharedFilter(filter) {
		parts := strings.SplitN(filter, "/", 3) // $share/group/filter (MQTT 5, 4.8.2)
		return len(parts) == 3 && parts[1] != "" && !strings.ContainsAny(parts[1], "+#") && topic.CheckFilter(parts[2]) == nil
	}
	return topic.CheckFilter(filter) == nil
}

// sendRetained follows the SUBACK.
func (c *conn) sendRetained(cl *mqtt.Client, codes []byte) {
	for i, sub := range c.subscribed {
		if i >= len(codes) || codes[i] >= packets.ErrUnspecifiedError.Code || mqtt.IsSharedFilter(sub.Filter) ||
			sub.RetainHandling == 2 || sub.RetainHandling == 1 && sub.existed { // [MQTT-3.3.1-10] [MQTT-3.3.1-11]
			continue
		}
		for _, pk := range c.b.retainedOn(sub.Filter) {
			m := messageFrom(&pk)
			if m.expired() || sub.NoLocal && m.origin == cl.ID {
				continue
			}
			c.b.send(c.session, &sub.Subscription, m, true) // [MQTT-3.3.1-8]
		}
	}
	c.subscribed = c.subscribed[:0]
}

// retainedOn returns the retained messages that match a filter.
func (b *Broker) retainedOn(filter string) []packets.Packet {
	out := b.srv.Topics.Messages(filter)
	if parent, ok := strings.CutSuffix(filter, "/#"); ok {
		out = append(out, b.srv.Topics.Messages(parent)...) // which the library leaves out [MQTT-4.7.1-2]
	}
	n := 0
	for _, pk := range out {
		if topic.Match(filter, pk.TopicName) { // the library lets # match $-topics other than $SYS [MQTT-4.7.2-1]
			out[n] = pk
			n++
		}
	}
	return out[:n]
}
