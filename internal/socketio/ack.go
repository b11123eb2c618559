package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrTooManyAcks is returned by EmitAck when as many acknowledgements of the socket are
// outstanding as Config.MaxPendingAcks allows.
var ErrTooManyAcks = errors.New("socketio: too many acknowledgements are outstanding")

// maxAckID is the largest id of the server's own events. Clients in Java, C++ and Rust
// read ids as 32-bit integers.
const maxAckID = 1<<31 - 1

// nextAckID returns an id that none of the last two billion events of this process had,
// on whatever connection. The first one is random, so that an acknowledgement of an
// earlier process's event is not taken for one of this process's.
func (s *Server) nextAckID() int64 { return s.ackID.Add(1) & maxAckID }

// EmitAck sends an event and waits for the client's acknowledgement, whose arguments it
// returns. Binary values in it are in base64, so that they decode into a []byte. Without
// a deadline in ctx it waits as long as the socket is connected.
//
// A handler that calls EmitAck must set a deadline: when Config.MaxInbox more events
// wait, the connection is not read, and the acknowledgement cannot arrive.
//
// Errors: those of Emit, ErrTooManyAcks, and the context's.
func (s *Socket) EmitAck(ctx context.Context, event string, args ...any) ([]json.RawMessage, error) {
	p, err := Encode(s.nsp.name, event, args...)
	if err != nil {
		return nil, err
	}
	p.id = s.nsp.server.nextAckID()
	answer := make(chan *inPacket, 1)
	if err := s.expectAck(p.id, answer); err != nil {
		return nil, err
	}
	defer s.forgetAck(p.id)
	s.transmit(p, sendAlways)
	select {
	case in := <-answer:
		if in == nil {
			return nil, ErrDisconnected
		}
		return in.inlined(), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("socketio: no acknowledgement of %q: %w", event, context.Cause(ctx))
	}
}

// inlined are the arguments with attachments in base64.
func (p *inPacket) inlined() []json.RawMessage {
	for i := range p.args {
		p.args[i] = inline(p.args[i], p.attachments)
	}
	return p.args
}

// expectAck has the acknowledgement of id sent to answer, which has room for it, or nil
// when the socket ends first.
func (s *Socket) expectAck(id int64, answer chan<- *inPacket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.Connected():
		return ErrDisconnected
	case len(s.acks) >= s.nsp.server.cfg.MaxPendingAcks:
		return ErrTooManyAcks
	case s.acks == nil:
		s.acks = map[int64]chan<- *inPacket{}
	}
	s.acks[id] = answer
	return nil
}

// forgetAck says that nobody waits for the acknowledgement of id any more.
func (s *Socket) forgetAck(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takeAckLocked(id)
}

// takeAckLocked removes and returns the channel of id, nil if nobody waits for it.
func (s *Socket) takeAckLocked(id int64) chan<- *inPacket {
	answer := s.acks[id]
	delete(s.acks, id)
	if len(s.acks) == 0 {
		s.acks = nil
	}
	return answer
}

// acknowledged handles an ACK packet. One that nobody waits for is ignored: it came too
// late.
func (s *Socket) acknowledged(p *inPacket) {
	s.mu.Lock()
	answer := s.takeAckLocked(p.id)
	s.mu.Unlock()
	if answer != nil {
		answer <- p
	}
}
