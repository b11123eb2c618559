package sockets

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// How activities wait for each other before it is looked up whether anybody in another
// process is in their rooms, and how many do. More are dropped.
const (
	relayQuiet   = 10 * time.Millisecond
	relayMost    = 20 * time.Millisecond
	maxRelayed   = 1000
	relayTimeout = 2 * time.Second
)

// maxReceived is how many messages of other processes wait for their audience to be read.
const maxReceived = 256

// roomHinted is an ephemeral message in a room: what wire.RoomActivity has. Its size is
// bounded by that of a comment (models.MaxComment) or of typing (wire.MaxTypingBytes).
type roomHinted struct {
	ExpenseID, UserID, UserName, Type string
	Data                              json.RawMessage
	At                                time.Time
}

func (m roomHinted) document() wire.RoomActivity {
	return wire.RoomActivity{
		Room: wire.Room(m.ExpenseID), Type: m.Type, User: wire.Person{ID: m.UserID, Name: m.UserName},
		Data: m.Data, At: wire.Time(m.At),
	}
}

// A roomRelay carries the ephemeral messages of rooms to other processes and from them.
// Each process reads by itself who has a right to the expense, and tells nobody else. A
// message that is lost is missing where it is lost; a comment is in the list of activities
// all the same. The methods may be called concurrently and do not block. A nil *roomRelay
// is that of the only process.
type roomRelay struct {
	cluster  *Cluster
	rooms    *rooms
	expenses expenseService
	tasks    *taskGroup
	log      *slog.Logger
	soon     debounce
	received chan roomHinted

	mu      sync.Mutex
	waiting []roomHinted
}

func newRoomRelay(c *Cluster, rooms *rooms, expenses expenseService, tasks *taskGroup, log *slog.Logger) *roomRelay {
	r := &roomRelay{
		cluster: c, rooms: rooms, expenses: expenses, tasks: tasks, log: log, received: make(chan roomHinted, maxReceived),
	}
	r.soon = debounce{waits: &debounceWaits{relayQuiet, relayMost}, do: r.flush}
	return r
}

// send tells a message at once.
func (r *roomRelay) send(m roomHinted) {
	if r != nil {
		r.cluster.Publish(roomHint, m)
	}
}

// sendActivity tells an activity if somebody in another process is in its room. Most
// expenses have nobody in their rooms, so that is read first, for several at once.
func (r *roomRelay) sendActivity(a models.Activity) {
	if r == nil {
		return
	}
	doc := wire.NewRoomActivity(a)
	r.mu.Lock()
	if len(r.waiting) < maxRelayed {
		r.waiting = append(r.waiting, roomHinted{a.ExpenseID, a.UserID, a.UserName, a.Type, doc.Data, a.At})
	}
	r.mu.Unlock()
	r.soon.trigger()
}

func (r *roomRelay) take() (waiting []roomHinted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting, r.waiting = r.waiting, nil
	return waiting
}

// flush tells the waiting activities in whose rooms there is somebody elsewhere.
func (r *roomRelay) flush() (retry time.Duration) {
	r.tasks.run(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, relayTimeout)
		defer cancel()
		waiting := r.take()
		inUse, err := r.roomsElsewhere(ctx, waiting)
		if err != nil {
			r.log.Debug("activities cannot be told to other processes now", slog.Any("error", err))
			return
		}
		for _, m := range waiting {
			if inUse[wire.Room(m.ExpenseID)] {
				r.send(m)
			}
		}
	})
	return 0
}

func (r *roomRelay) roomsElsewhere(ctx context.Context, messages []roomHinted) (map[string]bool, error) {
	var rooms []string
	for _, m := range messages {
		rooms = append(rooms, wire.Room(m.ExpenseID))
	}
	there, err := r.cluster.Store.PresentElsewhere(ctx, rooms)
	inUse := make(map[string]bool, len(there))
	for _, p := range there {
		inUse[p.Room] = true
	}
	return inUse, err
}

// receive takes a message of another process. While very many wait it is dropped.
func (r *roomRelay) receive(m roomHinted) {
	if !r.rooms.inUse(m.ExpenseID) {
		return
	}
	select {
	case r.received <- m:
	default:
	}
}

// run delivers messages of other processes until ctx ends.
func (r *roomRelay) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-r.received:
			r.pass(ctx, m)
		}
	}
}

// pass delivers a message to those in its room who have a right to the expense. One of
// somebody who has none any more is dropped.
func (r *roomRelay) pass(ctx context.Context, m roomHinted) {
	ctx, cancel := context.WithTimeout(ctx, relayTimeout)
	defer cancel()
	audience, err := r.expenses.Audience(ctx, m.UserID, m.ExpenseID)
	if err != nil {
		r.log.Debug("message of another process cannot be delivered", slog.Any("error", err))
		return
	}
	r.rooms.pass(m, audience, time.Now())
}

func (r *roomRelay) stop() {
	if r != nil {
		r.soon.stop()
	}
}
