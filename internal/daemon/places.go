package daemon

import (
	"context"
	"fmt"

	"edged"
	"edged/blockstore"
)

// watchBroker has the broker read its files again when they change.
func (d *Daemon) watchBroker() {
	passwords, rules, certificates := d.broker.Files()
	for _, w := range []struct {
		name  string
		files []string
		read  func() error
	}{
		{"broker.password_file", passwords, d.broker.ReloadPasswords},
		{"broker.acl_file", rules, d.broker.ReloadRules},
		{"broker.tls", certificates, d.broker.ReloadCertificates},
	} {
		if len(w.files) > 0 {
			d.files.Add(w.name, w.files, w.read)
		}
	}
}

// spaces of the store that belong to the broker room.
const (
	spaceRetained = "retained" // by topic
	spaceTopics   = "topics"   // by client id: what an external broker's session is subscribed to
)

// retained gives the broker's retained messages a place in the store.
type retained struct{ s *blockstore.Store }

// Load implements broker.Retained.
func (r retained) Load(each func(topic string, value []byte) error) error {
	return r.s.Values(spaceRetained, func(key string, value []byte, err error) error {
		if err != nil {
			value = nil // it is damaged, and the broker says so
		}
		return each(key, value)
	})
}

// Put implements broker.Retained.
func (r retained) Put(topic string, value []byte, done func(error)) {
	if value != nil {
		value = append([]byte{}, value...)
	}
	r.s.Submit(&edged.Update{Intake: true, Puts: []edged.Put{{Space: spaceRetained, Key: topic, Value: value}}}, false, done)
	r.s.Waiting()
}

// memory gives an external broker's subscriptions a place in the store.
type memory struct{ s *blockstore.Store }

// Topics implements remote.Memory.
func (m memory) Topics(clientID string) (topics []string) {
	_ = m.s.Values(spaceTopics, func(key string, value []byte, err error) error {
		if key == clientID && err == nil {
			topics = splitLines(string(value))
		}
		return nil
	})
	return topics
}

// Remember implements remote.Memory.
func (m memory) Remember(clientID string, topics []string) error {
	u := &edged.Update{Puts: []edged.Put{{Space: spaceTopics, Key: clientID, Value: []byte(joinLines(topics))}}}
	if err := m.s.Commit(context.Background(), u, false); err != nil {
		return fmt.Errorf("the topics of client %s cannot be remembered: %w", clientID, err)
	}
	return nil
}
