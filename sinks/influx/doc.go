// Package influx is the sink that writes rows to InfluxDB, as line protocol over HTTP: versions 1, 2 and 3.
//
// A row becomes one line: the measurement, the tags, every other column as a field, and the row's time. A window's row has its group's
// tags and its start as time, so that a row which is written again (after a kill, or when a part of a batch was refused) is the same point
// again, and the server keeps one. Rows of a stream without windows with the same tags and the same nanosecond are one point, too: name
// tags that tell them apart.
//
// How it is sent, and what the answers mean, is package post. A server that takes a part of a batch answers 400; the batch is then halved
// down to single rows, and those that are refused alone become dead letters.
package influx
