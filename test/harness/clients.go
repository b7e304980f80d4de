package harness

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"edged/broker"
)

// Client asks the gateway for one of its broker's clients; it has no identifier if there is none.
func (e *Edged) Client(t testing.TB, id string) broker.Client {
	t.Helper()
	res, err := http.Get(e.URL("/api/clients"))
	if err != nil {
		t.Fatalf("clients: %v", err)
	}
	defer res.Body.Close()
	var all []broker.Client
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.ID == id {
			return c
		}
	}
	return broker.Client{}
}

// Subscribed waits until a client has so many subscriptions.
func (e *Edged) Subscribed(t testing.TB, id string, n int) {
	t.Helper()
	Until(t, 10*time.Second, "client "+id+" is subscribed", func() bool { return e.Client(t, id).Subscriptions == n })
}
