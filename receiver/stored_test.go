package receiver

import (
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"
)

func TestStoredLines(t *testing.T) {
	at := time.Date(2026, 1, 2, 15, 4, 5, 120, time.UTC)
	var p fastjson.Parser
	for _, is := range []struct {
		line, payload string
		want          Stored // without its message
	}{
		{`{"seq":7,"time":"2026-01-02T15:04:05.00000012Z","epoch":2,"receiver":"field","topic":"a/b","qos":1,"retain":true,"payload":"{\"x\":1}","clock_trusted":false}`,
			`{"x":1}`, Stored{Seq: 7, Time: at, Epoch: 2, HasEpoch: true, Receiver: "field", Untrusted: true}},
		{`{"seq":7,"time":"2026-01-02T15:04:05.00000012Z","receiver":"field","topic":"a/b","qos":1,"payload_base64":"AP8="}`,
			"\x00\xff", Stored{Seq: 7, Time: at, HasEpoch: true, Receiver: "field"}},
		{`{"stream":"raw","time":"2026-01-02T15:04:05.00000012Z","topic":"a/b","payload":{"x":1},"epoch":3}`, `{"x":1}`, Stored{Time: at, Epoch: 3, HasEpoch: true}},
		{`{"stream":"raw","time":"2026-01-02T15:04:05.00000012Z","topic":"a/b","payload":21.50}`, "21.50", Stored{Time: at}},
		{`{"topic":"a/b","payload":"text"}`, "text", Stored{}},
	} {
		got, err := ParseStored(&p, []byte(is.line))
		if err != nil {
			t.Errorf("%s: %v", is.line, err)
			continue
		}
		m := got.Message
		if got.Message = nil; got != is.want || string(m.Payload) != is.payload || m.Topic != "a/b" {
			t.Errorf("%s is %+v, %+v", is.line, got, m)
		}
		if first := strings.Contains(is.line, "retain"); m.Retain != first || (m.QoS == 1) != strings.Contains(is.line, "qos") {
			t.Errorf("%s has QoS %d, retain %t", is.line, m.QoS, m.Retain)
		}
	}
	for _, bad := range []string{`{"topic":"a/+","payload":1}`, `{"topic":"a"}`, `{"topic":"a","payload":1,"time":"yesterday"}`, `x`, `[1]`} {
		if s, err := ParseStored(&p, []byte(bad)); err == nil {
			t.Errorf("%s is %+v", bad, s)
		}
	}
}
