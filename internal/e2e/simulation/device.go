package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"expenseflow/internal/changes"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
	"expenseflow/sockets"
)

// A user is one account, and what its log has to be.
type user struct {
	w         *cluster
	name      string
	id        string
	devices   []*device
	reference *reference

	made map[string]int // the changes that made expenses, by the server's ids
	ids  map[int]string // the other way round

	log   []models.Change // as far as it was read
	start int             // how much of it is cut off
}

func (u *user) author(deviceID string) models.Author {
	return models.Author{DeviceID: deviceID, TokenID: "token of " + u.id}
}

// author is who a request of the device's page is from.
func (d *device) author(deviceID string) models.Author {
	by := d.u.author(deviceID)
	by.TokenIssued, by.Browser = time.UnixMilli(d.issued), d.browser
	return by
}

// knows notes what the server calls the expense that a change made: nothing else,
// and it calls nothing else so. The text does not tell, for two may look alike.
func (u *user) knows(id string, made int) {
	if u.made[id] == 0 && u.ids[made] == "" {
		u.made[id], u.ids[made] = made, id
	}
	u.w.expect(u.made[id] == made && u.ids[made] == id,
		"what change %d made is called %s, which change %d made, and was called %s", made, id, u.made[id], u.ids[made])
}

// maker is the change that made an expense.
func (u *user) maker(id string) int {
	if u.made[id] == 0 {
		u.read()
	}
	return u.made[id]
}

// read reads what is new in the log.
func (u *user) read() {
	fresh, err := u.w.harness.store.Changes(u.w.ctx, u.id, int64(len(u.log)), wholeLog)
	u.w.expect(err == nil, "the log cannot be read: %v", err)
	u.log = append(u.log, fresh...)
	u.w.expect(len(u.log) <= len(u.reference.log), "change %d is the work of nobody", len(u.log))
	for _, c := range fresh {
		u.knows(c.EntityID, u.reference.log[c.Seq-1].made)
	}
}

// kept reports whether the log still has what follows a sequence.
func (u *user) kept(seq int64) bool { return seq >= int64(u.start) }

// A device is a page on it, and what it keeps.
type device struct {
	w    *cluster
	u    *user
	name string
	id   string // as it names itself

	browser string // names its browser, by the cookie; "" if its page is of another origin

	last    bool  // has the last frontend, with deltas, and not the first one's batches
	clients bool  // names its creations (clientId)
	skew    int64 // how far its clock is ahead, in milliseconds
	clock   int64 // what it showed last
	issued  int64 // when its user signed in, by the server's clock, in whole seconds

	queue []*operation // not yet answered
	sent  []sending
	autos int // entries of its own database so far

	// The page: what it shows, the position of the log up to which it does, and
	// what its Socket.IO client remembers.
	loaded      bool
	rows        map[string]document
	position    int64
	pid, offset string
	stands      sockets.StreamPosition // where the client's next connection has to go on
	link        *link
}

// A sending is a request with some of a device's queue, and with the token of whom
// it was.
type sending struct {
	u      *user
	issued int64
	ops    []*operation
}

// A link is a connection of a device, as far as events are concerned.
type link struct {
	d     *device
	p     *process
	place sockets.StreamPosition // up to which events are in the queue, or were
	room  int                    // events that fit in it

	queue []event
	full  bool
	sub   *changes.Subscription[[]event]

	refusals int // how often it was full
}

// connect opens a connection as the claim has it.
func (d *device) connect(p *process, c socketio.Claim) {
	own := c.PID != "" && c.PID == d.pid && d.u.kept(d.stands.Seq)
	u, err := d.w.harness.store.UserByID(d.w.ctx, d.u.id)
	d.w.expect(err == nil, "the user cannot be read: %v", err)
	d.w.meanwhile()
	from, grant := d.w.harness.recoverer.Resume(u, c)
	d.w.note("%s connects to %s, recovered %t, after %v", d.name, p.name, grant.Recovered, from)
	d.w.expect(grant.Recovered == own, "%s claims its own connection: %t; recovered: %t", d.name, own, grant.Recovered)
	if grant.Recovered {
		d.w.expect(from == d.stands, "%s has handled up to %v and goes on after %v", d.name, d.stands, from)
		d.w.count("connections recovered")
	} else {
		d.loaded, d.pid, d.stands = false, grant.PID, from
		d.w.count("connections begun")
	}
	l := &link{d: d, p: p, place: from, room: 1 + d.w.rng.IntN(6)}
	d.link, p.links = l, append(p.links, l)
	l.sub = p.tail.Subscribe(d.u.id, from.Seq, u.Seq, l.deliver, l.lose)
}

// deliver is what a socket does with a page of its user's log. A change may go out
// in part.
func (l *link) deliver(page []changes.Item[[]event]) (taken int) {
	for i, item := range page {
		l.d.w.expect(item.Seq == l.place.Seq+1, "%s hears change %d after %v", l.d.name, item.Seq, l.place)
		for _, e := range item.Encoded {
			if e.Variant < l.place.NextVariant {
				continue
			}
			if len(l.queue) >= l.room {
				l.refuse()
				return i
			}
			l.queue, l.place = append(l.queue, e), e.after()
		}
	}
	return len(page)
}

// overtakes is how many refusals there are to one that is overtaken.
const overtakes = 3

// refuse notes that nothing more fits. Now and then an event leaves the queue for
// the wire before the tail hears of that.
func (l *link) refuse() {
	l.full = true
	l.d.w.count("connections full")
	if l.refusals++; l.refusals%overtakes == 0 {
		l.room++
		l.full = false
		l.d.w.count("refusals overtaken")
		l.sub.Resume()
	}
}

// lose ends a connection whose log is cut off before it has read it.
func (l *link) lose() {
	l.d.w.note("%s has fallen behind its log, at %v", l.d.name, l.place)
	l.d.w.expect(!l.d.u.kept(l.place.Seq), "%s is at %v, and the log begins at %d", l.d.name, l.place, l.d.u.start)
	l.d.w.count("connections that fell behind their logs")
	l.cut()
}

// cut ends the connection; what was under way is lost.
func (l *link) cut() {
	l.sub.Close()
	l.p.links = slices.DeleteFunc(l.p.links, func(o *link) bool { return o == l })
	l.d.link = nil
	l.d.w.count("connections cut")
}

// handle has the page handle at most n events.
func (d *device) handle(n int) {
	l := d.link
	if l == nil {
		return
	}
	if !d.loaded {
		d.load(l.p)
	}
	n = min(n, len(l.queue))
	for _, e := range l.queue[:n] {
		d.hear(e)
	}
	if n > 0 {
		d.w.note("%s handles %d events, to %v", d.name, n, d.stands)
	}
	l.queue = l.queue[n:]
	if l.full && len(l.queue) < l.room {
		l.full = false
		l.sub.Resume()
	}
}

// hear is the page's listener, and what the client does beside it: it keeps the
// last argument. A page that listens to both spellings shows what it is told twice
// once.
func (d *device) hear(e event) {
	c, part, ok := wire.ParseOffset(e.offset)
	d.w.expect(ok && c.UserID == d.u.id && c.Seq == e.seq && part == e.Variant, "%s hears offset %s", d.name, e.offset)
	first := sockets.StreamPosition{Seq: e.seq - 1, NextVariant: e.Variant}
	d.w.expect(d.stands == first, "%s stands at %v and hears part %d of %d", d.name, d.stands, e.Variant, e.seq)
	d.offset, d.stands = e.offset, e.after()
	d.w.count("events")
	if e.seq <= d.position {
		return // in what it loaded or asked for, or told by the other name
	}
	d.w.expect(e.seq == d.position+1, "%s shows change %d and hears %d", d.name, d.position, e.seq)
	d.show(e)
}

// show applies an event to the rows.
func (d *device) show(e event) {
	var row document
	err := json.Unmarshal(e.Payload, &row)
	d.w.expect(err == nil && row.ID != "", "%s hears %s", d.name, e.Payload)
	d.position = e.seq
	if models.ChangeKind(e.Name) == models.ExpenseDeleted {
		_, there := d.rows[row.ID]
		d.w.expect(there, "%s hears of the end of an expense that it does not know: %s", d.name, row.ID)
		delete(d.rows, row.ID)
		return
	}
	d.w.expect(row.User == d.u.id, "%s hears of an expense of another user: %s", d.name, e.Payload)
	d.w.expect(row.Version == d.rows[row.ID].Version+1, "%s shows version %d and hears %s", d.name, d.rows[row.ID].Version,
		e.Payload)
	d.rows[row.ID] = row
}

// load gets everything, as a page does that begins (GET /api/sync/changes).
func (d *device) load(p *process) {
	if !p.up {
		return
	}
	rows := map[string]document{}
	seq, err := p.reconciler.Snapshot(d.w.ctx, d.u.id, func(_ int64, e models.Expense) error {
		rows[e.ID] = documentOf(&e)
		return nil
	})
	d.w.expect(err == nil, "a snapshot failed: %v", err)
	d.rows, d.position, d.loaded = rows, seq, true
	d.w.note("%s loads %d rows at %d", d.name, len(rows), seq)
	d.w.count("snapshots")
}

// ask gets what the page missed by asking for it, one page of it.
func (d *device) ask(p *process) {
	if !p.up || !d.loaded {
		return
	}
	since := models.Cursor{Epoch: d.w.harness.epoch, UserID: d.u.id, Seq: d.position}
	missed, err := p.reconciler.ChangesSince(d.w.ctx, d.u.id, &since, 2)
	d.w.expect(err == nil && missed.NeedsSnapshot != d.u.kept(d.position), "what was missed since %d cannot be had: %v", d.position,
		err)
	if missed.NeedsSnapshot {
		d.load(p)
		return
	}
	for _, parts := range d.w.harness.encode(missed.Changes) {
		d.show(parts[wire.UnderscoreVariant])
	}
	d.w.note("%s asks and gets %d changes, to %d", d.name, len(missed.Changes), d.position)
	d.w.count("catch-ups asked for")
}

// claim is what the page's client says of its last connection.
func (d *device) claim() socketio.Claim { return socketio.Claim{PID: d.pid, Offset: d.offset} }

// reload begins the page anew; its queue stays.
func (d *device) reload() {
	d.w.note("%s is loaded anew", d.name)
	if d.link != nil {
		d.link.cut()
	}
	d.loaded, d.pid, d.offset = false, "", ""
}

// change has another user sign in at the page, which keeps its queue.
func (d *device) change(u *user) {
	d.w.note("%s signs in at %s", u.name, d.name)
	d.reload()
	d.offset, d.rows, d.u = d.claim().Offset, map[string]document{}, u
	d.issued = d.w.now / 1000 * 1000
	d.w.count("accounts changed")
}

// tick is the device's clock. A person is no faster than that two things are done
// in one millisecond.
func (d *device) tick() int64 {
	d.clock = max(d.clock+1, d.w.now+d.skew)
	return d.clock
}

// enqueue keeps an operation for later.
func (d *device) enqueue(o *operation) {
	if o.at = o.moment; o.at == 0 {
		o.at = d.tick()
	}
	d.clock = max(d.clock, o.at)
	switch {
	case d.last && o.action == models.Create:
		o.local = fmt.Sprintf(`"local_%d"`, o.at)
	case d.last:
		d.autos++
		o.local = fmt.Sprint(d.autos)
	case o.action == models.Create:
		o.id, o.named = fmt.Sprintf("temp_%d", o.at), true
	}
	o.queued = !d.last
	d.queue = append(d.queue, o)
	d.w.note("%s queues %s", d.name, o)
}
