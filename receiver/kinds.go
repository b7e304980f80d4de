package receiver

import "edged/internal/kinds"

// Kinds lists the kinds of receiver. remote makes an external broker's settings; they belong to the broker room.
func Kinds(remote func() Remote) kinds.List[Config] {
	return kinds.List[Config]{
		{Name: "mqtt", Doc: "topics of the embedded broker, or of an external one with broker = \"tcp://…\"", New: func() Config { return &MQTT{Remote: remote()} }},
		{Name: "tcp", Doc: "lines over TCP, from those who connect or from where it connects to", New: func() Config { return DefaultTCP() }},
		{Name: "exec", Doc: "lines of a program's standard output", New: func() Config { return DefaultExec() }},
		{Name: "file", Doc: "lines that are appended to a file or to several, such as a log; rotation is followed", New: func() Config { return DefaultFile() }},
		{Name: "http", Doc: "readings that are sent with HTTP POST, one or many, answered when they are stored", New: func() Config { return DefaultHTTP() }},
		{Name: "table", Doc: "a file as a whole whenever it has changed: a table that streams join", New: func() Config { return DefaultTable() }},
		{Name: "replay", Doc: "messages from an NDJSON file, for tests and demonstrations", New: func() Config { return &Replay{} }},
	}
}
