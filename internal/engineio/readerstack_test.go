package engineio

import "testing"

func TestAReaderIsReplacedAfterItsFirstMessageAndAtAPongAfterOthers(t *testing.T) {
	var r readerStack
	for i, step := range []struct {
		kind packetType
		want bool
	}{
		{packetPong, false},
		{packetMessage, true},
		{packetPong, false},
		{packetMessage, false},
		{packetMessage, false},
		{packetPong, true},
		{packetPong, false},
	} {
		if got := r.grown(step.kind); got != step.want {
			t.Errorf("step %d: replaced %v, want %v", i, got, step.want)
		}
	}
}
