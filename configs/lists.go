package configs

import (
	"edged/batches"
	"edged/gpio/wave"
	"edged/internal/kinds"
)

// Listed is one line of a list of kinds.
type Listed struct{ Name, Doc string }

// List is a list of kinds, for help and reference.
type List struct {
	Title string
	Kinds []Listed
}

// Lists are the kinds that a configuration can name.
func Lists() []List {
	return []List{
		list("receivers ([receiver.NAME] type)", ReceiverKinds()),
		list("decoders ([stream.NAME] decode)", batches.Decoders),
		aggregateList(),
		list("sinks ([sink.NAME] type)", SinkKinds()),
		list("waves of simulated pins ([gpio.pin.NAME] wave.kind)", wave.Kinds()),
	}
}

func list[C any](title string, l kinds.List[C]) List {
	out := List{Title: title}
	for _, k := range l {
		out.Kinds = append(out.Kinds, Listed{k.Name, k.Doc})
	}
	return out
}

// aggregateList shows an aggregate's formula, and the quantiles as one line.
func aggregateList() List {
	out := List{Title: "aggregates ([stream.NAME] aggregate)"}
	for _, k := range batches.Aggregates {
		switch percent := k.Name[0] == 'p' && k.Name[1] <= '9'; {
		case k.Name == "p50":
			out.Kinds = append(out.Kinds, Listed{"p50(x) … p99(x)", k.New().Formula})
		case !percent:
			out.Kinds = append(out.Kinds, Listed{k.Doc, k.New().Formula})
		}
	}
	return out
}
