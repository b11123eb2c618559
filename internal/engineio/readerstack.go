package engineio

import "errors"

// errStackGrown means that a new goroutine has to go on reading.
var errStackGrown = errors.New("engineio: the reader's stack has grown")

// A readerStack decides when the goroutine that reads a connection is replaced by a new one.
// A message grows its stack, and the runtime never gives back the last 2 KiB of that, which
// would be a fifth of what an idle connection costs. The zero readerStack is ready.
type readerStack struct {
	joined   bool // a message has arrived
	messages bool // and another since the goroutine began
}

// grown reports, after a packet of this kind was handled, whether to go on with a new
// goroutine: after the first message, with which clients join, and from then on at most
// once for each ping, so that it costs busy connections nothing.
func (r *readerStack) grown(kind packetType) bool {
	switch {
	case kind == packetMessage && !r.joined:
		r.joined = true
		return true
	case kind == packetMessage:
		r.messages = true
	case kind == packetPong && r.messages:
		r.messages = false
		return true
	}
	return false
}
