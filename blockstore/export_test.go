package blockstore

import (
	"encoding/json"
	"errors"
	"testing"

	"edged"
)

// entries are a block log in memory.
type entries []edged.Entry

func (l entries) Next(seq uint64) (edged.Entry, bool, error) {
	for _, e := range l {
		if e.Seq >= seq {
			return e, true, nil
		}
	}
	return edged.Entry{}, false, nil
}

func (entries) NextResult(string, uint64) (edged.Result, bool, error) {
	return edged.Result{}, false, nil
}

// An exported message says everything that a stream can see of it.
func TestAnExportedMessageSaysWhatAStreamSees(t *testing.T) {
	block := func(seq uint64, trusted bool, payload string) edged.Entry {
		return edged.Entry{Seq: seq, Block: &edged.Block{
			Seq: seq, Receiver: "field", Cut: edged.Instant{Epoch: uint32(seq), Wall: 2e9}, Trusted: trusted, Topics: []string{"a/b"},
			Topic: []uint32{0}, Arrival: []int64{1e9 + 1}, Flags: []uint8{1 | edged.FlagRetain}, End: []uint32{uint32(len(payload))}, Data: []byte(payload),
		}}
	}
	log := entries{block(1, true, `{"x":1}`), {Seq: 2, Err: errors.New("flipped bit")}, block(3, false, "\x00\xff")}
	want := []string{
		`{"seq":1,"time":"1970-01-01T00:00:01.000000001Z","epoch":1,"receiver":"field","topic":"a/b","qos":1,"retain":true,"payload":"{\"x\":1}"}`,
		`{"seq":3,"time":"1970-01-01T00:00:01.000000001Z","epoch":3,"receiver":"field","topic":"a/b","qos":1,"retain":true,"payload_base64":"AP8=","clock_trusted":false}`,
	}
	var got []string
	damaged := 0
	message := func(m Message) error {
		text, err := json.Marshal(m)
		got = append(got, string(text))
		return err
	}
	if err := Export(t.Context(), log, Query{}, message, nil, func(error) { damaged++ }); err != nil || damaged != 1 || len(got) != 2 {
		t.Fatalf("%q, %d damaged, %v", got, damaged, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got\n%s\nwant\n%s", got[i], want[i])
		}
	}
}
