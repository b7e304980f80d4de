package remote

import "strconv"

// dropsTopic is where Mosquitto says how many messages it has dropped since it was started, because a client's queue was full
// (max_queued_messages, max_inflight_messages): mosquitto(8), broker status. Nobody else knows of them.
const dropsTopic = "$SYS/broker/publish/messages/dropped"

// askForDrops subscribes to it, with QoS 0 and without waiting for the answer. A broker that ends the connection over it, as
// some do, is not asked again.
func (r *Receiver) askForDrops(k *connection) {
	if r.shy.Swap(true) {
		return
	}
	k.client.Subscribe(dropsTopic, 0, nil)
}

// noteDrops is called with what comes on dropsTopic.
func (r *Receiver) noteDrops(payload []byte) {
	n, err := strconv.ParseUint(string(payload), 10, 64)
	if err != nil {
		return
	}
	r.shy.Store(false)
	r.link.mu.Lock()
	before := r.state.Dropped
	r.state.Dropped = n
	r.link.mu.Unlock()
	if n > before {
		r.seldom.Warn("drops", r.what+": the broker drops messages of clients whose queue is full, perhaps this one's; set max_queued_messages 0 in its mosquitto.conf",
			"broker", r.cfg.Broker, "dropped_since_its_start", n)
	}
}
