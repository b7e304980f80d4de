package decode

import (
	"fmt"
	"testing"

	"edged"
)

// readings are payloads of as many sorts of sensors, mixed.
func readings(sorts int) (out [][]byte) {
	for i := range 4096 {
		text := ""
		switch sort := int(uint32(i)*2654435761>>16) % sorts; sort {
		case 0:
			text = fmt.Sprintf(`{"pin":%d,"value":%d.%d,"ts":%d,"seq":%d,"conn":%d}`, i%8, i*37%1000/10, i%10, 1731970000123+int64(i)/50, i*7, i%50)
		case 1:
			text = fmt.Sprintf(`{"device": "meter-%d", "value": %d.%02d, "unit": "°C", "ok": %t}`, i%100, 15+i%17, i%100, i%9 > 0)
		default:
			text = fmt.Sprintf(`{"state":{"s%d":%d},"value":%d,"at":"2026-11-21T23:%02d:%02dZ"}`, sort, -i%300, i%100, i/60%60, i%60)
		}
		out = append(out, []byte(text))
	}
	return out
}

// BenchmarkJSONOfSensors is what a payload costs, by what is known of shapes and without.
func BenchmarkJSONOfSensors(b *testing.B) {
	for _, sorts := range []int{1, 2, 6, 30} {
		for _, known := range []bool{true, false} {
			for _, paths := range [][][]string{nil, {{"value"}}} {
				b.Run(fmt.Sprintf("sorts=%d/shapes=%t/columns=%d", sorts, known, len(paths)), func(b *testing.B) {
					payloads, cols, size := readings(sorts), make([]edged.Value, len(paths)), 0
					d := newJSON(paths).(*jsonDecoder)
					if !known {
						d = shapeless(paths)
					}
					for _, p := range payloads {
						size += len(p)
					}
					b.SetBytes(int64(size / len(payloads)))
					for n := 0; b.Loop(); n++ {
						if _, err := d.Decode(payloads[n&4095], cols); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
