package broker

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"
)

// sysInterval is the time between two publications of $SYS.
const sysInterval = 30 * time.Second

// sys publishes the broker's own figures below $SYS/broker, under the names that Mosquitto uses. They are retained in memory, and
// never stored. A figure that has not changed is not published again.
type sys struct {
	b       *Broker
	version string

	mu    sync.Mutex
	began time.Time
	last  map[string]string
	loads []*average
}

// average is a figure a minute, averaged over 1, 5 and 15 minutes as the load of a Unix machine is.
type average struct {
	name string
	of   func(*Status) float64
	last float64
	avg  [3]float64
}

var loadMinutes = [3]float64{1, 5, 15}

func (y *sys) run(ctx context.Context) error {
	y.begin()
	t := time.NewTicker(sysInterval)
	defer t.Stop()
	for {
		y.publish()
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (y *sys) begin() {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.began, y.last = time.Now(), map[string]string{}
	y.loads = []*average{
		{name: "messages/received", of: func(s *Status) float64 { return float64(s.Received) }},
		{name: "messages/sent", of: func(s *Status) float64 { return float64(s.Sent) }},
		{name: "publish/dropped", of: func(s *Status) float64 { return float64(s.NotDelivered) }},
		{name: "bytes/received", of: func(s *Status) float64 { return float64(s.BytesReceived) }},
		{name: "bytes/sent", of: func(s *Status) float64 { return float64(s.BytesSent) }},
		{name: "connections", of: func(s *Status) float64 { return float64(s.Connections) }},
	}
}

func (y *sys) publish() {
	y.mu.Lock()
	defer y.mu.Unlock()
	s := y.b.Status()
	put := func(name string, v any) {
		text := fmt.Sprint(v)
		if y.last[name] == text {
			return
		}
		y.last[name] = text
		m := &message{topic: "$SYS/broker/" + name, payload: []byte(text), retain: true}
		y.b.retained.show(m)
		y.b.deliver(m)
	}
	put("version", "edged "+y.version)
	put("uptime", fmt.Sprintf("%d seconds", int(time.Since(y.began).Seconds())))
	put("clients/connected", s.Clients)
	put("clients/disconnected", s.Sessions)
	put("clients/total", s.Clients+s.Sessions)
	put("clients/maximum", s.MostClients)
	put("clients/expired", s.SessionsEnded)
	put("messages/received", s.Received)
	put("messages/sent", s.Sent)
	put("publish/messages/received", s.Received)
	put("publish/messages/sent", s.Sent)
	put("publish/messages/dropped", s.NotDelivered)
	put("publish/bytes/received", s.PayloadReceived)
	put("bytes/received", s.BytesReceived)
	put("bytes/sent", s.BytesSent)
	put("messages/stored", s.Retained)
	put("store/messages/count", s.Retained)
	put("store/messages/bytes", s.RetainedBytes)
	put("retained messages/count", s.Retained)
	put("subscriptions/count", s.Subscriptions)
	put("shared_subscriptions/count", s.Shared)
	for _, l := range y.loads {
		l.note(&s)
		for i, minutes := range loadMinutes {
			put(fmt.Sprintf("load/%s/%gmin", l.name, minutes), fmt.Sprintf("%.2f", l.avg[i]))
		}
	}
}

// note moves the averages on by one interval.
func (l *average) note(s *Status) {
	now := l.of(s)
	perMinute := (now - l.last) * float64(time.Minute/sysInterval)
	l.last = now
	for i, minutes := range loadMinutes {
		keep := math.Exp(-sysInterval.Minutes() / minutes)
		l.avg[i] = l.avg[i]*keep + perMinute*(1-keep)
	}
}
