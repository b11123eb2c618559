package adminui

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"expenseflow/internal/rawjson"
	"expenseflow/internal/socketio"
)

// The kinds of hints that UIs of different processes send to each other. A process that has
// admins says so every two seconds; those that hear it send it their figures, and what
// happens, for some seconds.
const (
	watchHint   = "adminwatch"   // struct{}: there are admins here
	statsHint   = "adminstats"   // serverStats
	feedHint    = "adminfeed"    // feedHinted
	askHint     = "adminask"     // askHinted
	socketsHint = "adminsockets" // socketsHinted, the answer
	orderHint   = "adminorder"   // order
)

type (
	// feedHinted has payloads of packets for the page.
	feedHinted struct {
		Events []json.RawMessage `json:"events"`
	}

	// askHinted asks every process for its sockets.
	askHinted struct {
		ID string `json:"id"`
	}

	// socketsHinted is a part of the answer.
	socketsHinted struct {
		ID      string            `json:"id"`
		Sockets []json.RawMessage `json:"sockets"`
		Hidden  int               `json:"hidden"` // more that there are
		Last    bool              `json:"last"`
	}
)

// Receive takes a hint of another process. It does not block. What it cannot read it
// ignores. On a nil *UI it does nothing.
func (u *UI) Receive(from, kind string, data json.RawMessage) {
	if u == nil {
		return
	}
	switch kind {
	case watchHint:
		u.do(func() { u.watchedBy(from) })
	case statsHint:
		u.do(func() {
			u.showStats(data)
			u.askAgain(from)
		})
	case feedHint:
		receive(data, func(h feedHinted) { u.do(func() { u.showRemote(from, h) }) })
	case askHint:
		receive(data, func(h askHinted) { u.do(func() { u.answer(h) }) })
	case socketsHint:
		receive(data, func(h socketsHinted) { u.do(func() { u.listed(from, h) }) })
	case orderHint:
		receive(data, func(o order) { u.obey(from, o) })
	}
}

func receive[T any](data json.RawMessage, take func(T)) {
	var hinted T
	if json.Unmarshal(data, &hinted) == nil {
		take(hinted)
	}
}

func (u *UI) publish(kind string, data any) {
	if u.opts.Publish != nil {
		u.opts.Publish(kind, data)
	}
}

// renew tells the other processes that there are admins here.
func (u *UI) renew() {
	if len(u.viewers) > 0 {
		u.publish(watchHint, struct{}{})
	}
}

func (u *UI) watchedBy(process string) {
	_, known := u.watchers[process]
	u.watchers[process] = time.Now().Add(watchTime)
	if !known {
		u.beginWatching()
		u.sendStats()
	}
}

// relay sends packets to the processes that have admins, as far as they fit into one hint.
func (u *UI) relay(packets []*socketio.Packet) {
	if len(u.watchers) == 0 || len(packets) == 0 {
		return
	}
	var h feedHinted
	size, left := 0, 0
	for _, p := range packets {
		b, err := json.Marshal(p.Payload()) // as it is in the hint: "<" has six bytes there
		if err != nil || size+len(b)+1 > maxHint-maxName {
			left++
			continue
		}
		size += len(b) + 1
		h.Events = append(h.Events, b)
	}
	if left > 0 {
		u.count.dropped.Add(int64(left))
		if note := u.note(u.opts.Process, map[string]any{"events": left}); note != nil {
			h.Events = append(h.Events, note.Payload())
		}
	}
	u.publish(feedHint, h)
}

// showRemote shows what happened in another process.
func (u *UI) showRemote(from string, h feedHinted) {
	for _, payload := range h.Events {
		var parts []json.RawMessage
		for part := range rawjson.Elements(payload) {
			parts = append(parts, part)
		}
		if len(parts) == 0 || !shownEvents[rawjson.Text(parts[0])] {
			continue
		}
		if p := u.encode(rawjson.Text(parts[0]), rawArgs(parts[1:])...); p != nil {
			u.showAll(from, p)
		}
	}
}

// answer lists the sockets of this process for an admin of another.
func (u *UI) answer(h askHinted) {
	if !u.opts.Development {
		return
	}
	u.beginWatching()
	list, hidden, before := u.snapshot(maxRemoteSockets)
	u.flush(before) // what the list has already
	part := socketsHinted{ID: h.ID, Hidden: hidden}
	size := 0
	for _, s := range list {
		b, err := json.Marshal(s)
		if err != nil || len(b) > maxHint-maxName {
			part.Hidden++
			continue
		}
		if size += len(b) + 1; size > maxHint-maxName {
			u.publish(socketsHint, part)
			part, size = socketsHinted{ID: h.ID}, len(b)
		}
		part.Sockets = append(part.Sockets, b)
	}
	part.Last = true
	u.publish(socketsHint, part)
}

// listed takes a part of another process's list.
func (u *UI) listed(from string, h socketsHinted) {
	for _, v := range u.viewers {
		u.heardOf(v, from, h)
		u.greetIfComplete(v)
	}
}

// obey has Run carry out what an admin of another process ordered.
func (u *UI) obey(from string, o order) {
	if !u.opts.Write {
		u.opts.Refused(context.Background(), "an admin's command of another process was refused", codeReadOnly, settingWrite,
			slog.String("command", o.Command), slog.String("process", from))
		return
	}
	select {
	case u.orders <- o:
	default:
		u.log.Warn("an admin's command of another process was dropped: too many wait",
			slog.String("command", o.Command), slog.String("process", from))
	}
}
