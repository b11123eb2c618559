package engineio

import (
	"bytes"
	"strings"
	"testing"
)

// A queue of a megabyte took two: messages were kept beside their frames.
func TestWhatWaitsIsInMemoryOnce(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	g := NewGroup(Message{Data: []byte("an event")}, Message{Data: []byte(long), Binary: true}, Message{Data: []byte{}})
	before := g.Messages()
	frames := g.webSocketFrames()
	for i, m := range g.Messages() {
		if !bytes.Equal(m.Data, before[i].Data) {
			t.Errorf("message %d is another one now", i)
		}
		if len(m.Data) == 0 {
			continue
		}
		at := bytes.Index(frames, m.Data)
		frames[at] ^= 1
		if bytes.Equal(m.Data, before[i].Data) {
			t.Errorf("message %d is in memory beside its frame", i)
		}
	}
}
