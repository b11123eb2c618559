package adminui

import (
	"crypto/rand"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"time"

	"expenseflow/internal/socketio"
)

// A viewer is an admin of this process. Until it has the list of sockets (all_sockets), what
// happens in a process whose part of the list has come waits in backlog; what happened before
// is in the list. The sockets of a process whose part comes later, such as one that this
// process did not know of, are shown as if they connected then.
type viewer struct {
	socket *socketio.Socket

	ready   bool            // has the list, or needs none
	ask     string          // names the survey of the other processes; "" if there is none
	waiting map[string]bool // processes whose parts have not come
	heard   map[string]bool // whose have come
	asked   map[string]int  // how often processes were asked again
	list    []any           // shownSocket, or its JSON
	hidden  int             // sockets that are not in it
	backlog []*socketio.Packet
	due     time.Time // when the list is sent without the parts that have not come
}

// welcome begins to show an admin what there is.
func (u *UI) welcome(s *socketio.Socket) {
	if !s.Connected() {
		return
	}
	v := &viewer{socket: s, ready: true}
	u.viewers[s] = v
	u.beginWatching()
	u.renew()
	u.sendStats()
	if u.opts.Development {
		u.survey(v)
	}
}

// survey begins to list the sockets of all processes for a viewer.
func (u *UI) survey(v *viewer) {
	v.ready, v.ask, v.due = false, rand.Text(), time.Now().Add(surveyTime)
	v.waiting, v.heard, v.asked = map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, process := range u.opts.Others() {
		v.waiting[process] = true
	}
	list, hidden, before := u.snapshot(maxSockets)
	u.flush(before) // what the list has already
	v.heard[u.opts.Process] = true
	for _, s := range list {
		v.list = append(v.list, s)
	}
	v.hidden = hidden
	u.publish(askHint, askHinted{v.ask})
	u.greetIfComplete(v)
}

// snapshot lists at most so many sockets of this process, tells how many more there are, and
// the position of the feed at that moment.
func (u *UI) snapshot(most int) (list []shownSocket, hidden int, position int64) {
	position = -1
	for _, n := range u.opts.IO.Namespaces() {
		if n == u.admin {
			continue
		}
		n.Inspect(func(all iter.Seq2[*socketio.Socket, []string]) {
			if position < 0 {
				position = u.feed.position()
			}
			for s, rooms := range all {
				if len(list) >= most {
					hidden++
					continue
				}
				shown := describeSocket(s, rooms, u.opts.Describe)
				list = append(list, shown)
				u.feed.awaitUpgrade(s, shown.Transport)
			}
		})
	}
	return list, hidden, max(position, 0)
}

// heardOf takes a part of the list that another process sent.
func (u *UI) heardOf(v *viewer, process string, part socketsHinted) {
	if part.ID != v.ask || v.heard[process] {
		return
	}
	for _, s := range part.Sockets {
		if v.ready {
			u.show(v, u.encode("socket_connected", s, isoTime(time.Now())))
		} else {
			v.list = append(v.list, s)
		}
	}
	v.hidden += part.Hidden
	if part.Last {
		delete(v.waiting, process)
		v.heard[process] = true
	}
}

// askAgain asks a process that is heard and has not listed its sockets for a viewer.
func (u *UI) askAgain(process string) {
	for _, v := range u.viewers {
		if v.ready && v.ask != "" && !v.heard[process] && v.asked[process] < maxAsks {
			v.asked[process]++
			u.publish(askHint, askHinted{v.ask})
		}
	}
}

// greetLate sends the list to viewers for whom it is late.
func (u *UI) greetLate(now time.Time) {
	for _, v := range u.viewers {
		if !v.ready && !now.Before(v.due) {
			u.greet(v)
		}
	}
}

func (u *UI) greetIfComplete(v *viewer) {
	if !v.ready && len(v.waiting) == 0 {
		u.greet(v)
	}
}

// greet sends a viewer the list, says what is not in it, and then what happened meanwhile.
func (u *UI) greet(v *viewer) {
	v.ready = true
	list := v.list
	if list == nil {
		list = []any{}
	}
	_ = v.socket.Emit("all_sockets", list)
	if v.hidden > 0 {
		u.count.dropped.Add(int64(v.hidden))
		u.show(v, u.note(u.opts.Process, map[string]any{"sockets": v.hidden}))
	}
	for _, process := range slices.Sorted(maps.Keys(v.waiting)) {
		u.show(v, u.note(process, map[string]any{"sockets": "this process did not list its sockets in time"}))
	}
	for _, p := range v.backlog {
		u.show(v, p)
	}
	v.list, v.backlog, v.waiting = nil, nil, nil
}

// show sends a packet to one viewer, unless it reads too slowly.
func (u *UI) show(v *viewer, p *socketio.Packet) {
	if p != nil && !v.socket.TrySend(p) {
		u.count.dropped.Add(1)
	}
}

// showAll shows all viewers what happened in a process.
func (u *UI) showAll(process string, p *socketio.Packet) {
	for _, v := range u.viewers {
		switch {
		case v.ready:
			u.show(v, p)
		case v.heard[process] && len(v.backlog) < maxBacklog:
			v.backlog = append(v.backlog, p)
		}
	}
}

// note makes an entry of the page's list of events which says what is not shown. The page
// has no other place for it.
func (u *UI) note(process string, what map[string]any) *socketio.Packet {
	return u.encode("event_sent", "/", process, []any{"(not shown)", what}, isoTime(time.Now()))
}

// encode makes a packet for the page; nil if an application's data cannot be encoded.
func (u *UI) encode(event string, args ...any) *socketio.Packet {
	p, err := socketio.Encode(u.opts.Namespace, event, args...)
	if err != nil {
		u.count.dropped.Add(1)
		return nil
	}
	return p
}

// flush shows the records of the feed before a position, here and in other processes.
func (u *UI) flush(before int64) {
	records := u.feed.take(before)
	packets := make([]*socketio.Packet, 0, len(records))
	for i := range records {
		if p := u.encode(records[i].event, u.shown(&records[i])...); p != nil {
			packets = append(packets, p)
		}
	}
	u.tell(packets)
}

// tell shows packets of this process, here and in other processes.
func (u *UI) tell(packets []*socketio.Packet) {
	for _, p := range packets {
		u.showAll(u.opts.Process, p)
	}
	u.relay(packets)
}

// sayDropped says how much was too much to show.
func (u *UI) sayDropped() {
	events, memberships := u.feed.takeDropped()
	if events+memberships == 0 {
		return
	}
	u.count.dropped.Add(events + memberships)
	what := map[string]any{"events": events, "socketsAndRooms": memberships}
	if p := u.note(u.opts.Process, what); p != nil {
		u.tell([]*socketio.Packet{p})
	}
}

// followUpgrades shows which sockets use WebSocket by now.
func (u *UI) followUpgrades() {
	var packets []*socketio.Packet
	for _, s := range u.feed.upgraded() {
		p := u.encode(updated, map[string]string{"id": s.ID(), "nsp": s.Namespace().Name(), "transport": s.Transport()})
		if p != nil {
			packets = append(packets, p)
		}
	}
	u.tell(packets)
}

// sendStats sends the figures of this process to all admins.
func (u *UI) sendStats() {
	stats := u.stats()
	u.showStats(stats)
	if len(u.watchers) > 0 {
		u.publish(statsHint, stats)
	}
}

// showStats shows the figures of a process: a serverStats or its JSON.
func (u *UI) showStats(stats any) {
	p := u.encode("server_stats", stats)
	for _, v := range u.viewers {
		u.show(v, p)
	}
}

// shownEvents are those that other processes may have shown here.
var shownEvents = map[string]bool{
	"socket_connected": true, "socket_disconnected": true, updated: true,
	"room_joined": true, "room_left": true, "event_received": true, "event_sent": true,
}

// rawArgs returns the arguments of a payload for encode.
func rawArgs(args []json.RawMessage) []any {
	list := make([]any, len(args))
	for i, arg := range args {
		list[i] = arg
	}
	return list
}
