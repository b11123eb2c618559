package adminui

import (
	"encoding/json"
	"sync"
	"time"

	"expenseflow/internal/engineio"
	"expenseflow/internal/socketio"
)

// A record is something that happened, as it is sent to the page: an event with arguments.
type record struct {
	event string
	args  []any

	// payload is an event of the application, at most maxKept bytes, which is redacted when
	// the record is sent. It is nil for other records.
	payload json.RawMessage
	at      time.Time
}

// A feed is a bounded queue of records, and the socketio.Observer that fills it.
type feed struct {
	admin    string // the namespace that is not watched
	describe func(*socketio.Socket) any

	mu          sync.Mutex
	records     []record
	taken       int64 // records that were taken out before the first one
	events      budget
	memberships budget
	polling     map[*socketio.Socket]struct{} // whose upgrade is to be shown, at most maxSockets
}

// A budget is how many records of a kind are kept in a second, and how many were not.
type budget struct {
	most    int
	second  int64
	used    int
	dropped int64
}

// take reports whether there is room for another record.
func (b *budget) take(now time.Time) bool {
	if s := now.Unix(); s != b.second {
		b.second, b.used = s, 0
	}
	if b.used >= b.most {
		b.dropped++
		return false
	}
	b.used++
	return true
}

func newFeed(admin string, describe func(*socketio.Socket) any) *feed {
	return &feed{
		admin: admin, describe: describe, polling: map[*socketio.Socket]struct{}{},
		events: budget{most: maxEvents}, memberships: budget{most: maxMemberships},
	}
}

// Connected implements socketio.Observer.
func (f *feed) Connected(s *socketio.Socket, rooms []string) {
	if f.watches(s) {
		shown := describeSocket(s, rooms, f.describe)
		f.add(&f.memberships, record{event: "socket_connected", args: []any{shown}})
		f.awaitUpgrade(s, shown.Transport)
	}
}

// Disconnected implements socketio.Observer.
func (f *feed) Disconnected(s *socketio.Socket, reason string) {
	if f.watches(s) {
		f.add(&f.memberships, record{event: "socket_disconnected", args: []any{s.Namespace().Name(), s.ID(), reason}})
	}
}

// Joined implements socketio.Observer.
func (f *feed) Joined(s *socketio.Socket, room string) { f.membership("room_joined", s, room) }

// Left implements socketio.Observer.
func (f *feed) Left(s *socketio.Socket, room string) { f.membership("room_left", s, room) }

func (f *feed) membership(event string, s *socketio.Socket, room string) {
	if f.watches(s) {
		f.add(&f.memberships, record{event: event, args: []any{s.Namespace().Name(), room, s.ID()}})
	}
}

// Received implements socketio.Observer.
func (f *feed) Received(e *socketio.Event) {
	s := e.Socket()
	if !f.watches(s) || !f.hasRoom(&f.events) {
		return
	}
	r := record{event: "event_received", args: []any{s.Namespace().Name(), s.ID()}}
	if sizeOf(e) > maxKept { // e would keep its attachments and the packet that it came in, too
		r.args = append(r.args, tooLarge(e.Name))
	} else {
		r.payload = payloadOf(e)
	}
	f.put(r)
}

// Sent implements socketio.Observer.
func (f *feed) Sent(s *socketio.Socket, p *socketio.Packet) {
	if !f.watches(s) || !f.hasRoom(&f.events) {
		return
	}
	r := record{event: "event_sent", args: []any{s.Namespace().Name(), s.ID()}}
	if payload := p.Payload(); len(payload) > maxKept {
		r.args = append(r.args, tooLarge(nameIn(payload)))
	} else {
		r.payload = payload
	}
	f.put(r)
}

func (f *feed) watches(s *socketio.Socket) bool { return s.Namespace().Name() != f.admin }

func (f *feed) add(b *budget, r record) {
	if f.hasRoom(b) {
		f.put(r)
	}
}

// hasRoom reports whether another record may be put into the queue, and counts it. There is
// none while Run is late and maxRecords wait for it.
func (f *feed) hasRoom(b *budget) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.records) >= maxRecords {
		b.dropped++
		return false
	}
	return b.take(time.Now())
}

// put puts a record into the queue.
func (f *feed) put(r record) {
	r.at = time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records = append(f.records, r)
}

// position returns how many records there have been.
func (f *feed) position() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.taken + int64(len(f.records))
}

// take takes the records before a position out of the queue.
func (f *feed) take(before int64) []record {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(max(before-f.taken, 0), int64(len(f.records)))
	taken := f.records[:n:n]
	f.records = f.records[n:]
	f.taken += n
	return taken
}

// takeDropped returns how many records there was no room for since the last call.
func (f *feed) takeDropped() (events, memberships int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	events, memberships = f.events.dropped, f.memberships.dropped
	f.events.dropped, f.memberships.dropped = 0, 0
	return events, memberships
}

// clear forgets everything that waits.
func (f *feed) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken += int64(len(f.records))
	f.records = nil
	clear(f.polling)
}

// awaitUpgrade has upgraded return s once it uses WebSocket.
func (f *feed) awaitUpgrade(s *socketio.Socket, transport string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if transport == engineio.Polling && len(f.polling) < maxSockets {
		f.polling[s] = struct{}{}
	}
}

// upgraded returns the sockets that use WebSocket since the last call.
func (f *feed) upgraded() (list []*socketio.Socket) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.polling {
		switch {
		case !s.Connected():
			delete(f.polling, s)
		case s.Transport() == engineio.WebSocket:
			delete(f.polling, s)
			list = append(list, s)
		}
	}
	return list
}
