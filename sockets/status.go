package sockets

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// statusEvent tells every socket how the service stands (docs/contract.md#live-features).
const statusEvent = "system:status"

// What the service says of itself when nobody has written anything better.
const (
	sayOK       = "Everything works"
	sayDegraded = "The database cannot be reached; changes are not stored until it can"
	sayShutdown = "The server goes and comes back; pages connect again by themselves"
)

// A statement is how the service stands, and how it came to that.
type statement struct {
	mu      sync.Mutex // held while it is sent too, so that the newest arrives last
	said    wire.Status
	trouble bool // the database cannot be reached
	leaving bool // the server shuts down
	packet  *socketio.Packet
}

func newStatement() *statement {
	s := &statement{said: wire.Status{Status: wire.StatusOK, Message: sayOK}}
	s.encode()
	return s
}

// encode says what counts most. s.mu is held.
func (s *statement) encode() {
	now := s.said
	switch {
	case s.leaving:
		now = wire.Status{Status: wire.StatusShutdown, Message: sayShutdown}
	case s.trouble:
		now = wire.Status{Status: wire.StatusDegraded, Message: sayDegraded}
	}
	if time.Time(now.At).IsZero() {
		now.At = wire.Time(models.Millis(time.Now()))
	}
	s.packet = mustEncode(statusEvent, now)
}

// Announce tells every socket, and those that come, what whoever runs the server
// wants said. That the database is away, or that the server goes, is said instead
// as long as it is so.
func (h *Hub) Announce(said wire.Status) {
	h.state(func(s *statement) bool {
		s.said = said
		return true
	})
}

// StorageTrouble tells every socket when the database cannot be reached, and when
// it can again. Saying the same again is harmless.
func (h *Hub) StorageTrouble(trouble bool) {
	h.state(func(s *statement) bool {
		moved := s.trouble != trouble
		s.trouble = trouble
		return moved
	})
}

// partWith tells every socket that the server goes.
func (h *Hub) partWith() {
	h.state(func(s *statement) bool {
		moved := !s.leaving
		s.leaving = true
		return moved
	})
}

// state changes the statement and tells every socket if it has moved.
func (h *Hub) state(change func(*statement) (moved bool)) {
	s := h.statement
	s.mu.Lock()
	defer s.mu.Unlock()
	if !change(s) {
		return
	}
	s.encode()
	h.tell(h.opts.IO.Of(namespace).FetchSockets(), s.packet)
}

// greet tells one socket how the service stands.
func (s *statement) greet(to *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to.tell(s.packet)
}

// tell sends a state to sockets.
func (h *Hub) tell(sockets []*socketio.Socket, p *socketio.Packet) {
	for _, socket := range sockets {
		if s, ok := socket.Data().(*session); ok {
			s.tell(p)
		}
	}
}

// tellUser sends a state to all of a user's sockets.
func (h *Hub) tellUser(userID string, p *socketio.Packet) {
	h.tell(h.opts.IO.Of(namespace).To(room(userID)).FetchSockets(), p)
}

// tell sends a state. A socket that is behind is told how things stand when it
// has room again: what they were meanwhile is of no use to anybody.
func (s *session) tell(p *socketio.Packet) {
	if s.socket.TrySend(p) {
		return
	}
	s.owed.Store(true)
	s.socket.TrySend(p) // there may have been room since; if not, resume follows and finds what is owed
}

// mustEncode makes an event of our own documents.
func mustEncode(name string, payload any) *socketio.Packet {
	p, err := socketio.Encode(namespace, name, payload)
	if err != nil {
		panic(fmt.Errorf("sockets: encode %s: %w", name, err))
	}
	return p
}

// logTrouble notes that a state could not be read.
func (h *Hub) logTrouble(userID string, err error) {
	h.log.Warn("how things stand cannot be told now", slog.String("user_id", userID), slog.Any("error", err))
}
