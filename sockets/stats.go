package sockets

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
)

// Other is counted for events, reasons and codes that have no name of their own: what clients
// choose makes no new names.
const Other = socketio.Other

// Measures are told of what a Hub does. They must not block; a nil function is told nothing.
type Measures struct {
	// Delivery is told how long after it was made a change was queued for a socket that was
	// connected then and had room.
	Delivery func(time.Duration)

	// Event returns the function that is told how long the events of a name took to be
	// handled; nil if nobody is. It is called once for each name and for Other.
	Event func(name string) func(time.Duration)

	// RateLimited is called for each event over the rate.
	RateLimited func()
}

// Stats count since the Hub was made, and say who is connected now.
type Stats struct {
	Sockets, Users int // that are open here or being opened; users who have such

	Connects    []ConnectCount
	Disconnects map[string]int64 // sockets that had connected, by reason

	// CatchUpChanges are the changes that were sent to sockets late: made before they
	// connected, or while their queue was full.
	CatchUpChanges int64
}

// A ConnectCount counts CONNECTs by what became of them: "fresh" (Reason "new", or "lost" if
// the client asked in vain to continue), "recovered", or "refused" with the code in lower case.
type ConnectCount struct {
	Result, Reason string
	N              int64
}

// A tally counts by the keys of a fixed list, and what is not among them as the last.
type tally struct {
	keys []string
	n    []atomic.Int64
}

func newTally(keys ...string) tally { return tally{keys, make([]atomic.Int64, len(keys))} }

func (t *tally) add(key string) {
	i := slices.Index(t.keys, key)
	if i < 0 {
		i = len(t.keys) - 1
	}
	t.n[i].Add(1)
}

// byKey returns the counts.
func (t *tally) byKey() map[string]int64 {
	all := make(map[string]int64, len(t.keys))
	for i, key := range t.keys {
		all[key] = t.n[i].Load()
	}
	return all
}

// The results of a CONNECT with their reasons. Refusals are followed by a code.
const (
	connectNew       = "fresh new"
	connectLost      = "fresh lost"
	connectRecovered = "recovered "
	connectRefused   = "refused "
)

// counters are what Stats are made of.
type counters struct {
	connects, disconnects tally
	catchUp               atomic.Int64
}

func newCounters() *counters {
	return &counters{
		connects: newTally(connectNew, connectLost, connectRecovered,
			refusedBy(auth.CodeNoToken), refusedBy(auth.CodeTokenInvalid), refusedBy(auth.CodeTokenExpired),
			refusedBy(auth.CodeUserNotFound), refusedBy(codeConnectionLimit), refusedBy(unavailableCode), refusedBy(Other)),
		disconnects: newTally(disconnectReasons...),
	}
}

// disconnectReasons are those of docs/operations.md.
var disconnectReasons = []string{
	"transport close", "transport error", "ping timeout", "parse error", "slow", "forced close", "forced server close",
	"client namespace disconnect", "server namespace disconnect", "server shutting down", socketio.ReasonReplaced, Other,
}

// unavailableCode is counted for a CONNECT that failed here: its client tries again.
const unavailableCode = "UNAVAILABLE"

func refusedBy(code string) string { return connectRefused + strings.ToLower(code) }

// refused counts a CONNECT that the middleware did not let in.
func (c *counters) refused(err error) {
	code := unavailableCode
	var refusal *socketio.ConnectError
	if errors.As(err, &refusal) {
		data, _ := refusal.Data.(connectErrorData)
		code = data.Code
	}
	c.connects.add(refusedBy(code))
}

// connected counts a CONNECT that was let in.
func (c *counters) connected(s *session, recovered bool) {
	switch {
	case recovered:
		c.connects.add(connectRecovered)
	case s.returning:
		c.connects.add(connectLost)
	default:
		c.connects.add(connectNew)
	}
}

// Stats returns the counters. Each is exact, but they are not read at the same instant.
func (h *Hub) Stats() Stats {
	s := Stats{
		Disconnects: h.counts.disconnects.byKey(), CatchUpChanges: h.counts.catchUp.Load(),
	}
	s.Sockets, s.Users = h.sessions.size()
	for key, n := range h.counts.connects.byKey() {
		result, reason, _ := strings.Cut(key, " ")
		s.Connects = append(s.Connects, ConnectCount{result, reason, n})
	}
	return s
}

// observe has the events of each name timed, if anybody asks.
func (d *dispatcher) observe(event func(string) func(time.Duration)) {
	if event == nil {
		return
	}
	d.took = map[string]func(time.Duration){}
	for _, name := range append(d.names(), Other) {
		d.took[name] = event(name)
	}
}

// observerOf returns what is told how long an event took; nil if nobody asks.
func (d *dispatcher) observerOf(event string) func(time.Duration) {
	if took := d.took[event]; took != nil {
		return took
	}
	return d.took[Other]
}

// names returns the events that clients may send.
func (d *dispatcher) names() (all []string) {
	return slices.AppendSeq(slices.Collect(maps.Keys(d.requests)), maps.Keys(d.commands))
}

// sentEvents are the events that clients receive. TestEventsPageSaysWhatIsCounted compares
// them with docs/events.md.
var sentEvents = []string{
	"expense_created", "expense:created", "expense_updated", "expense:updated", "expense_deleted", "expense:deleted",
	"expense:shared", "invitation:received", "invitation:closed", "person:blocked", "person:unblocked", "account:settings",
	wire.BatchEvent, "budget:created", "budget:updated", "budget:deleted", "budget:alert", "notification",
	balanceEvent, countEvent, dashboardEvent, statusEvent, presenceEvent, joinedEvent, leftEvent, activityEvent,
	"sync_data", "sync_changes", parkedEvent, settledEvent, errorEvent, expiringEvent, expiredEvent, importProgressEvent,
}
