package main

import (
	"fmt"
	"maps"
	"slices"
)

// check holds an outcome against the promises and says what is wrong, each line
// beginning with its kind: lost, duplicated, divergent or foreign.
func check(o *outcome) []string {
	c := &checker{o: o}
	for i := range o.users {
		if !c.log(&o.users[i]) {
			return c.wrong
		}
	}
	for _, op := range o.ops {
		c.operation(op)
	}
	for _, d := range o.devices {
		c.device(d)
	}
	return c.wrong
}

// mayLose reports whether an asynchronous standby took the place of a primary that had
// crashed: what it had not received is gone, acknowledged or not (docs/operations.md#failover-of-postgresql).
func (o *outcome) mayLose() bool { return o.hits[failovers] > 0 }

type checker struct {
	o       *outcome
	made    map[string][]change   // by mark: what each operation left in the logs
	gone    map[string]int        // by id: deletions in the logs
	deleted map[string]*operation // by id: who was told that it deleted it
	ops     map[string]*operation // by mark
	wrong   []string
}

func (c *checker) say(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// log checks that a user's log has no gap, folds, folds to the list, and holds
// nothing that nobody sent. With a gap there is nothing to hold anybody against.
func (c *checker) log(l *userLog) (whole bool) {
	c.index()
	m := imageOf(l.base.Expenses)
	for i, e := range l.log {
		if want := l.base.Seq + int64(i) + 1; e.Seq != want {
			c.say("lost: the log of user %s has %d where %d belongs", l.user.id, e.Seq, want)
			return false
		}
		if wrong := m.apply(e); wrong != "" {
			c.say("divergent: the log's change %s %s", e, wrong)
		}
		c.author(l, e)
	}
	for _, d := range imageOf(l.list).diff(m) {
		c.say("divergent: the list of user %s is, against the log, %s", l.user.id, d)
	}
	return true
}

func (c *checker) index() {
	if c.ops != nil {
		return
	}
	c.made, c.gone = make(map[string][]change), make(map[string]int)
	c.deleted, c.ops = make(map[string]*operation), make(map[string]*operation)
	for _, op := range c.o.ops {
		c.ops[op.mark] = op
	}
}

// author checks that somebody of this user sent what a change tells of.
func (c *checker) author(l *userLog, e change) {
	if e.Event == "expense_deleted" {
		c.gone[e.Expense.ID]++
		return
	}
	c.made[e.Expense.Description] = append(c.made[e.Expense.Description], e)
	op := c.ops[e.Expense.Description]
	switch {
	case op == nil:
		c.say("divergent: nobody sent the log's change %s", e)
	case op.device.user != l.user || e.Expense.User != l.user.id:
		c.say("foreign: the log of user %s has %s of %s", l.user.id, e, op.device.name)
	case e.DeviceID != op.device.id:
		c.say("divergent: %s of %s is said to be of the device %q", e, op.device.name, e.DeviceID)
	}
}

// operation checks that what was acknowledged is there once, what was refused is
// not, and what got no answer is there at most once.
func (c *checker) operation(op *operation) {
	told := 0
	for _, r := range op.answers {
		if r.effect != refused {
			told++
			c.agrees(op, r)
		}
	}
	c.sameAnswers(op)
	if op.action == "DELETE" {
		return
	}
	made := c.made[op.mark]
	switch {
	case len(made) > 1:
		c.say("duplicated: %s is in the log %d times: %v", op, len(made), made)
	case told > 0 && len(made) == 0 && !c.o.mayLose():
		c.say("lost: %s was acknowledged and is not in the log: %s", op, op.answers[0].raw)
	case told == 0 && len(op.answers) > 0 && len(made) > 0:
		c.say("divergent: %s was refused (%s) and is in the log: %s", op, op.answers[0].raw, made[0])
	}
}

// agrees checks that an answer shows what the log has.
func (c *checker) agrees(op *operation, r reply) {
	if op.action == "DELETE" {
		id := op.target
		if r.doc != nil {
			id = r.doc.ID
		}
		switch n := c.gone[id]; {
		case n == 0 && !c.o.mayLose():
			c.say("lost: %s was acknowledged and the log has no deletion", op)
		case n > 1:
			c.say("duplicated: %s is in the log %d times", op, n)
		}
		if first := c.deleted[id]; first != nil && first != op && !first.twin(op) {
			c.say("duplicated: %s and %s were both told that they deleted it", first, op)
		}
		c.deleted[id] = op
		return
	}
	for _, e := range c.made[op.mark] {
		if r.doc.ID != e.Expense.ID || r.effect == applied && *r.doc != e.Expense {
			c.say("divergent: %s was answered by %s with %s and is %s in the log", op, r.door, describe(*r.doc), e)
		}
		if seen, named := op.data["version"].(int64); named && e.Expense.Version != seen+1 {
			c.say("divergent: %s names version %d and was applied as %s", op, seen, e)
		}
	}
}

// sameAnswers checks that whoever asks again gets the first answer. A request of
// its own route is another request than the operation in the queue after it.
func (c *checker) sameAnswers(op *operation) {
	var first string
	for _, r := range op.answers {
		if r.door != "batch" {
			continue
		}
		if first != "" && r.raw != first {
			c.say("divergent: %s was answered\n    %s\n    %s", op, first, r.raw)
		}
		first = r.raw
	}
}

// device checks what a device heard, in either spelling, and that it amounts to
// what the log does.
func (c *checker) device(d *device) {
	l := c.o.of(d.user)
	for spelling, heard := range [][]hearing{d.heard, d.other} {
		if spelling == 1 && len(heard) == 0 {
			continue // npm's clients do not listen to it, and not every server speaks it
		}
		c.order(d, spelling, heard, l.head())
		c.content(d, heard, l)
	}
	c.fold(d, l)
}

// content checks that a device heard what the log has, and nobody else's.
func (c *checker) content(d *device, heard []hearing, l *userLog) {
	for _, h := range heard {
		i := h.Seq - l.base.Seq - 1
		switch {
		case h.user != d.user.id || h.Event != "expense_deleted" && h.Expense.User != d.user.id:
			c.say("foreign: %s of user %s heard %s of user %s", d.name, d.user.id, h.change, h.user)
		case h.Seq > l.head(): // it was applied after all, when the log had been read
		case i < 0:
			c.say("divergent: %s heard %s, which is before the schedule", d.name, h.change)
		case !h.same(l.log[i]):
			c.say("divergent: %s heard %s; the log has %s", d.name, h.change, l.log[i])
		}
	}
}

// order checks that a device heard nothing twice, nothing out of order, and missed
// nothing but before a connection that was not recovered.
func (c *checker) order(d *device, spelling int, heard []hearing, head int64) {
	fresh := map[int]bool{} // events before which a new connection began
	for _, j := range d.joins {
		if !j.recovered {
			fresh[j.after[spelling]] = true
		}
	}
	for i := 1; i < len(heard); i++ {
		before, h := heard[i-1].Seq, heard[i]
		switch {
		case h.Seq <= before:
			c.say("duplicated: %s heard %s after %d", d.name, h.change, before)
		case h.Seq > before+1 && !fresh[i]:
			c.say("lost: %s heard %s right after %d, on a connection that was recovered", d.name, h.change, before)
		}
	}
	if n := len(heard); n > 0 && heard[n-1].Seq < head && !fresh[n] {
		c.say("lost: %s heard nothing after %d, the log goes on to %d", d.name, heard[n-1].Seq, head)
	}
}

// fold checks that what a device heard and asked for amounts to the list.
func (c *checker) fold(d *device, l *userLog) {
	if d.base == nil {
		c.say("stuck: %s never got the list", d.name)
		return
	}
	known := maps.Clone(d.told)
	for _, h := range d.heard {
		known[h.Seq] = h.change
	}
	m := imageOf(d.base.Expenses)
	for _, seq := range slices.Sorted(maps.Keys(known)) {
		if seq <= d.base.Seq || seq > l.head() {
			continue
		}
		if wrong := m.apply(known[seq]); wrong != "" {
			c.say("divergent: at %s, what it knows %s: %s", d.name, wrong, known[seq])
		}
	}
	for _, w := range m.diff(imageOf(l.list)) {
		c.say("divergent: %s is, against the list, %s", d.name, w)
	}
}
