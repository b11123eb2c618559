package sockets

import (
	"sync"
	"time"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// statusEvent tells every socket the status of the service
// (docs/contract.md#live-features).
const statusEvent = "system:status"

// What the service says of itself.
const (
	messageOK       = "Everything works"
	messageDegraded = "The database cannot be reached; changes are not stored until it can"
	messageShutdown = "The server goes and comes back; pages connect again by themselves"
)

// A serviceStatus is the status of the service. The most urgent of three things is
// sent: that the server shuts down, that the database cannot be reached, and else what
// the operator said last. Its methods may be called concurrently.
type serviceStatus struct {
	sendAll func(*socketio.Packet) // to all sessions

	mu           sync.Mutex  // held while it is sent too, so that the newest arrives last
	operator     wire.Status // what the operator said
	storageDown  bool
	shuttingDown bool
	packet       *socketio.Packet
}

func newServiceStatus(sendAll func(*socketio.Packet)) *serviceStatus {
	s := &serviceStatus{sendAll: sendAll, operator: wire.Status{Status: wire.StatusOK, Message: messageOK}}
	s.encode()
	return s
}

// encode makes the packet. The caller must hold mu.
func (s *serviceStatus) encode() {
	now := s.operator
	switch {
	case s.shuttingDown:
		now = wire.Status{Status: wire.StatusShutdown, Message: messageShutdown}
	case s.storageDown:
		now = wire.Status{Status: wire.StatusDegraded, Message: messageDegraded}
	}
	if time.Time(now.At).IsZero() {
		now.At = wire.Time(models.Millis(time.Now()))
	}
	s.packet = mustEncode(statusEvent, now)
}

func (s *serviceStatus) setOperator(said wire.Status) {
	s.update(func() (changed bool) {
		s.operator = said
		return true
	})
}

func (s *serviceStatus) setStorageDown(down bool) {
	s.update(func() (changed bool) {
		changed = s.storageDown != down
		s.storageDown = down
		return changed
	})
}

func (s *serviceStatus) setShuttingDown() {
	s.update(func() (changed bool) {
		changed = !s.shuttingDown
		s.shuttingDown = true
		return changed
	})
}

// update runs change under the lock and sends the status to all sessions if it changed.
func (s *serviceStatus) update(change func() (changed bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !change() {
		return
	}
	s.encode()
	s.sendAll(s.packet)
}

// sendTo sends one session the status.
func (s *serviceStatus) sendTo(to *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to.sendState(s.packet)
}
