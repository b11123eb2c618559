package sockets

import (
	"context"
	"encoding/json"
	"sync"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A Cluster is what a Hub needs to serve users together with other processes that have
// the same database.
type Cluster struct {
	Process string // names this process in surveys, and to the others as the sender of hints
	Store   peerStore

	// Publish tells the other processes something at most once, without blocking. Data is
	// encoded as JSON and given to their Hubs' Receive. What is lost is found out within
	// seconds, unless it would be useless by then.
	Publish func(kind string, data any)
}

// A peerStore stores what the processes of a cluster know of each other. Its errors are
// of models.Unavailable if this process does not count as living at the moment.
type peerStore interface {
	// Announce stores, in one transaction, who is present in this process and who is not
	// any more, and counts it up.
	Announce(ctx context.Context, here, gone []models.Present) (models.PresenceVersion, error)
	// PresentElsewhere returns who is present in these rooms in other living processes.
	PresentElsewhere(ctx context.Context, rooms []string) ([]models.Present, error)
	// Peers returns the state of all processes with one cheap statement.
	Peers(ctx context.Context) (models.Peers, error)
	// SetStatus stores the status of the service and returns its version.
	SetStatus(ctx context.Context, status string) (version int64, err error)
}

// The kinds of hints that Hubs send to each other.
const (
	presenceHint = "present" // presenceHinted
	roomHint     = "room"    // roomHinted
	statusHint   = "status"  // nothing: read Peers again
	surveyHint   = "survey"  // surveyHinted
	answerHint   = "answer"  // answerHinted
)

// HintKinds are the kinds of hints that Receive understands.
var HintKinds = []string{presenceHint, roomHint, statusHint, surveyHint, answerHint}

// Receive takes a hint of another process. It does not block. What it cannot read, such as
// a hint of a later version of the program, it ignores.
func (h *Hub) Receive(from, kind string, data json.RawMessage) {
	if h.peers == nil {
		return
	}
	switch kind {
	case presenceHint:
		receive(data, func(p presenceHinted) { h.peers.hinted(from, p) })
	case roomHint:
		receive(data, h.relay.receive)
	case statusHint:
		h.peers.compareSoon()
	case surveyHint:
		receive(data, h.answerSurvey)
	case answerHint:
		receive(data, func(a answerHinted) { h.survey.take(from, a) })
	}
}

func (h *Hub) answerSurvey(q surveyHinted) {
	sockets, users := h.sessions.size()
	h.survey.answer(q, sockets, users)
}

// Connections returns who is connected, to this process and to the others.
func (h *Hub) Connections(ctx context.Context) wire.Connections {
	sockets, users := h.sessions.size()
	return h.survey.ask(ctx, sockets, users)
}

func receive[T any](data json.RawMessage, take func(T)) {
	var hinted T
	if json.Unmarshal(data, &hinted) == nil {
		take(hinted)
	}
}

// HintsMissed is called when hints of other processes may have been lost.
func (h *Hub) HintsMissed() {
	if h.peers != nil {
		h.peers.missed()
	}
}

// Renew is called when this process has begun another generation, because the others may
// have taken it for dead: it tells them anew who is present here, and reads anew what is
// elsewhere, as soon as the others can have done the same.
func (h *Hub) Renew() {
	if h.peers == nil {
		return
	}
	h.peers.settle()
	h.presence.announceAll()
	h.rooms.announceAll()
}

// Run follows what the other processes know until ctx ends, and then returns nil. Without
// Options.Cluster it returns at once.
func (h *Hub) Run(ctx context.Context) error {
	if h.peers == nil {
		return nil
	}
	var running sync.WaitGroup
	running.Go(func() { h.peers.run(ctx) })
	running.Go(func() { h.relay.run(ctx) })
	running.Wait()
	return nil
}

// joinCluster makes what the Hub needs beside other processes, if there are any.
func (h *Hub) joinCluster(c *Cluster) {
	h.survey = newSurvey(c)
	if c == nil {
		return
	}
	h.shared = newSharedStatus(c, h.status, h.tasks, h.log)
	h.peers = newPeers(c, h.tasks, h.log)
	h.peers.apply, h.peers.failed, h.peers.seen = h.setElsewhere, h.elsewhereUnknown, h.sawPeers
	h.relay = newRoomRelay(c, h.rooms, h.opts.Expenses, h.tasks, h.log)
	h.presence.peers, h.rooms.peers = h.peers, h.peers
	h.sessions.elsewhere = h.presence.socketsElsewhere
}

// setElsewhere gives a component who is present elsewhere in one of its rooms.
func (h *Hub) setElsewhere(room string, there []models.Present, mark int64) {
	if userID, ok := watchedUser(room); ok {
		h.presence.setElsewhere(userID, there, mark)
	} else if expenseID, ok := watchedExpense(room); ok {
		h.rooms.setElsewhere(expenseID, there, mark)
	}
}

// elsewhereUnknown says that who is elsewhere in a room cannot be read now.
func (h *Hub) elsewhereUnknown(room string) {
	if userID, ok := watchedUser(room); ok {
		h.presence.elsewhereUnknown(userID)
	} else if expenseID, ok := watchedExpense(room); ok {
		h.rooms.elsewhereUnknown(expenseID)
	}
}

func (h *Hub) sawPeers(p models.Peers) {
	h.survey.expect(p.Others)
	h.shared.take(p.StatusVersion, p.Status)
}
