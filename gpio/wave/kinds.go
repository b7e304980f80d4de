package wave

import "edged/internal/kinds"

// Kinds lists what `wave = { kind = … }` can name.
func Kinds() kinds.List[Config] {
	return kinds.List[Config]{
		{Name: "square", Doc: "jumps between min and max", New: newSquare},
		{Name: "sine", Doc: "swings between min and max", New: newSine},
		{Name: "noise", Doc: "even random values between min and max", New: newNoise},
		{Name: "counter", Doc: "counts up from min by step", New: newCounter},
		{Name: "csv", Doc: "replays a file", New: newCSV},
	}
}

// Default is the wave of a simulated pin that names none: a contact that opens and closes.
func Default() Config { return newSquare() }
