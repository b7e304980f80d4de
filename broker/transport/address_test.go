package transport

import (
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	for text, want := range map[string]Address{
		"tcp://127.0.0.1:1883":       {Scheme: "tcp", Host: "127.0.0.1:1883"},
		"tcp://:1883":                {Scheme: "tcp", Host: ":1883"},
		"tls://[::]:8883":            {Scheme: "tls", Host: "[::]:8883"},
		"ws://localhost:9001":        {Scheme: "ws", Host: "localhost:9001"},
		"wss://gateway.local:443/a":  {Scheme: "wss", Host: "gateway.local:443", Path: "/a"},
		"unix:///run/edged/m.sock":   {Scheme: "unix", Path: "/run/edged/m.sock", Mode: 0o660},
		"unix:///m?mode=0600":        {Scheme: "unix", Path: "/m", Mode: 0o600},
		"unix:///m?user=1&group=abc": {Scheme: "unix", Path: "/m", Mode: 0o660, User: "1", Group: "abc"},
	} {
		want.text = text
		if got, err := Parse(text); got != want || err != nil {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestWhatIsWrongWithAnAddress(t *testing.T) {
	for text, say := range map[string]string{
		"":                                          "has to begin with tcp://, tls://, ws://, wss:// or unix://",
		"127.0.0.1:1883":                            "is not an address",
		"mqtt://127.0.0.1:1883":                     "has to begin with",
		"tcp://127.0.0.1":                           "has to be tcp://HOST:PORT",
		"tcp://127.0.0.1:1883/":                     "has to be tcp://HOST:PORT",
		"tls://127.0.0.1:8883?a=b":                  `write "tls://127.0.0.1:8883"`,
		"tcp://a@127.0.0.1:1883":                    "has to be tcp://HOST:PORT",
		"tcp:127.0.0.1:1883":                        "has to be tcp://HOST:PORT",
		"tcp://127.0.0.1:70000":                     "between 0 and 65535",
		"tcp://127.0.0.1:mqtt":                      "is not an address",
		"ws://127.0.0.1/mqtt":                       "or ws://HOST:PORT/PATH",
		"wss://127.0.0.1:1/mqtt?a":                  "or wss://HOST:PORT/PATH",
		"ws://127.0.0.1:1/mqtt#a":                   "or ws://HOST:PORT/PATH",
		"unix://run/m.sock":                         "the whole path",
		"unix:///run/":                              "the whole path",
		"unix:///run/../m.sock":                     "the whole path",
		"unix://":                                   "the whole path",
		"unix:///m?mode=0888":                       "three octal digits",
		"unix:///m?mode=7777":                       "three octal digits",
		"unix:///m?mod=0600":                        `did you mean "mode"`,
		"unix:///m?user=":                           "user= without a name",
		"unix:///m?mode=600&mode=660":               "mode twice",
		"unix:///m?mode=%zz":                        "cannot be read",
		"unix:///" + strings.Repeat("a", 103):       "too long",
		"unix:///" + strings.Repeat("a", 90) + "/m": "too long",
	} {
		if a, err := Parse(text); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%s: %+v, %v", text, a, err)
		}
	}
}

func TestWhatOtherMachinesReach(t *testing.T) {
	for text, want := range map[string][2]bool{ // local, TLS
		"tcp://127.0.0.1:1":  {true, false},
		"tls://[::1]:1":      {true, true},
		"ws://localhost:1/a": {true, false},
		"tcp://0.0.0.0:1":    {false, false},
		"wss://:1":           {false, true},
		"ws://192.0.2.1:1":   {false, false},
		"unix:///m":          {true, false},
	} {
		a, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if a.Local() != want[0] || a.TLS() != want[1] || a.String() != text {
			t.Errorf("%s: %v, %v, %v", text, a.Local(), a.TLS(), a)
		}
	}
}
