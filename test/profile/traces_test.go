package main

import (
	"strings"
	"testing"
	"time"
)

const traces = `File: edged
Type: cpu
Duration: 10s, Total samples = 30ms
-----------+-------------------------------------------------------
      20ms   edged/broker/wire.Read (inline)
             edged/broker.(*client).loop
             runtime.goexit
-----------+-------------------------------------------------------
     thread:  1
      10ms   slices.SortFunc[go.shape.[]uint8,go.shape.struct { a int }]
             edged/broker.(*client).loop
             runtime.goexit
-----------+-------------------------------------------------------
`

// Stacks become one tree, whose widths are shares of the whole.
func TestStacksBecomeATree(t *testing.T) {
	root, err := parse(traces)
	if err != nil {
		t.Fatal(err)
	}
	loop := root.call("runtime.goexit").call("edged/broker.(*client).loop")
	if root.total != 30*time.Millisecond || loop.total != root.total || loop.call("edged/broker/wire.Read").total != 20*time.Millisecond || len(loop.calls) != 2 {
		t.Errorf("%+v, %+v", root, loop)
	}
	svg := root.svg()
	for _, want := range []string{"<title>edged/broker/wire.Read: 66.7 %, 20ms</title>", `width="1400.0"`, "SortFunc[go.shape.[]uint8,go.shape.struct { a int }]", ">wire.Read</text>"} {
		if !strings.Contains(svg, want) {
			t.Errorf("%s is not in\n%s", want, svg)
		}
	}
	if _, err := parse("File: edged\n"); err == nil {
		t.Error("a profile without a sample is a picture")
	}
}
