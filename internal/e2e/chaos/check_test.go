package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A good outcome: one user with two devices, of which A0 made, changed and deleted
// expenses, and A1 only listened.
func good() *outcome {
	u := &user{id: "alice"}
	a, b := listener("A0", u), listener("A1", u)
	bread := document{ID: "e1", User: "alice", Description: "a #1", Version: 1}
	tea := document{ID: "e2", User: "alice", Description: "a #2", Version: 1}
	cake := tea
	cake.Description, cake.Version = "a #3", 2
	log := []change{
		{Seq: 8, Event: "expense_created", Expense: bread, DeviceID: "A0"},
		{Seq: 9, Event: "expense_created", Expense: tea, DeviceID: "A0"},
		{Seq: 10, Event: "expense_updated", Expense: cake, DeviceID: "A0"},
		{Seq: 11, Event: "expense_deleted", Expense: document{ID: "e1"}, DeviceID: "A0"},
	}
	for _, d := range []*device{a, b} {
		for _, c := range log {
			d.heard = append(d.heard, hearing{c, "alice"})
		}
	}
	return &outcome{
		users:   []userLog{{user: u, base: snapshot{Seq: 7}, log: log, list: []document{cake}}},
		devices: []*device{a, b},
		ops: []*operation{
			acknowledged(a, "a #1", "CREATE", "temp_1", applied, &bread),
			acknowledged(a, "a #2", "CREATE", "temp_2", applied, &tea),
			acknowledged(a, "a #3", "UPDATE", "e2", applied, &cake),
			acknowledged(a, "a #4", "DELETE", "e1", applied, &bread),
			acknowledged(a, "a #5", "UPDATE", "e1", refused, nil),
			{device: a, mark: "a #6", action: "CREATE", target: "temp_6", sent: 1},
		},
	}
}

func listener(name string, u *user) *device {
	return &device{
		name: name, id: name, user: u, base: &snapshot{Seq: 7}, told: map[int64]change{},
		joins: []join{{at: time.Now()}, {at: time.Now(), recovered: true, after: [2]int{2, 0}}},
	}
}

func acknowledged(d *device, mark, action, target string, e effect, doc *document) *operation {
	return &operation{
		device: d, mark: mark, action: action, target: target, sent: 1,
		answers: []reply{{door: "batch", effect: e, doc: doc, raw: mark}},
	}
}

func TestAGoodOutcomeIsGood(t *testing.T) {
	if wrong := check(good()); wrong != nil {
		t.Error(wrong)
	}
}

// damages are what may be wrong with an outcome, and what that is called.
var damages = map[string]struct {
	damage func(o *outcome)
	want   string
}{
	"an event is missing": {
		func(o *outcome) { h := o.devices[1].heard; o.devices[1].heard = append(h[:2:2], h[3]) },
		"lost",
	},
	"the last event is missing": {func(o *outcome) { o.devices[1].heard = o.devices[1].heard[:3] }, "lost"},
	"an event comes twice": {
		func(o *outcome) { h := o.devices[1].heard; o.devices[1].heard = append(h[:2:2], h[1:]...) },
		"duplicated",
	},
	"events change places":         {func(o *outcome) { h := o.devices[1].heard; h[0], h[1] = h[1], h[0] }, "duplicated"},
	"an event tells another story": {func(o *outcome) { o.devices[1].heard[0].Expense.Amount = "9" }, "divergent"},
	"an event of somebody else":    {func(o *outcome) { o.devices[1].heard[0].user = "bob" }, "foreign"},
	"a document of somebody else":  {func(o *outcome) { o.devices[1].heard[0].Expense.User = "bob" }, "foreign"},
	"the other spelling is missing": {func(o *outcome) {
		o.devices[0].other = append(o.devices[0].heard[:1:1], o.devices[0].heard[2:]...)
	}, "lost"},
	"a gap in the log":                 {func(o *outcome) { l := &o.users[0]; l.log = append(l.log[:1:1], l.log[2:]...) }, "lost"},
	"the list misses one":              {func(o *outcome) { o.users[0].list = nil }, "divergent"},
	"the list has another":             {func(o *outcome) { o.users[0].list[0].Version = 7 }, "divergent"},
	"a version is left out":            {func(o *outcome) { o.users[0].log[2].Expense.Version = 3 }, "divergent"},
	"nobody sent it":                   {func(o *outcome) { o.ops = o.ops[1:] }, "divergent"},
	"another device sent it":           {func(o *outcome) { o.users[0].log[0].DeviceID = "A1" }, "divergent"},
	"an acknowledged one is not there": {func(o *outcome) { o.ops[5].answers = o.ops[0].answers }, "lost"},
	"a deletion is not there":          {func(o *outcome) { o.ops[3].answers[0].doc = &document{ID: "e9"} }, "lost"},
	"a refused one is there":           {func(o *outcome) { o.ops[0].answers[0].effect = refused }, "divergent"},
	"an answer tells otherwise":        {func(o *outcome) { o.ops[0].answers[0].doc = &document{ID: "e9"} }, "divergent"},
	"a replay tells otherwise": {func(o *outcome) {
		again := o.ops[0].answers[0]
		again.raw = "otherwise"
		o.ops[0].answers = append(o.ops[0].answers, again)
	}, "divergent"},
	"two were told that they deleted it": {
		func(o *outcome) { o.ops[4].action, o.ops[4].answers = "DELETE", o.ops[3].answers },
		"duplicated",
	},
	"an edit that had not seen the last": {func(o *outcome) { o.ops[2].data = map[string]any{"version": int64(0)} }, "divergent"},
	"one is there twice": {func(o *outcome) {
		l := &o.users[0]
		twin := l.log[1]
		twin.Seq, twin.Expense.ID = 12, "e3"
		l.log = append(l.log, twin)
		l.list = append(l.list, twin.Expense)
		for _, d := range o.devices {
			d.heard = append(d.heard, hearing{twin, "alice"})
		}
	}, "duplicated"},
}

// Each kind of damage is seen, and called by its name.
func TestDamageIsSeen(t *testing.T) {
	for name, tt := range damages {
		t.Run(name, func(t *testing.T) {
			o := good()
			tt.damage(o)
			wantFault(t, o, tt.want)
		})
	}
}

// wantFault fails the test unless check finds a fault of this kind.
func wantFault(t *testing.T, o *outcome, kind string) {
	t.Helper()
	for _, w := range check(o) {
		if strings.HasPrefix(w, kind+":") {
			return
		}
	}
	t.Errorf("seen: %v; want something %s", check(o), kind)
}

// Two deletions of one moment are one operation to whoever gets them in two
// batches.
func TestTwinsMayShareAnAnswer(t *testing.T) {
	o := good()
	o.ops[3].queued = 1
	twin := acknowledged(o.devices[0], "a #7", "DELETE", "e1", applied, o.ops[3].answers[0].doc)
	twin.queued = 1
	o.ops = append(o.ops, twin)
	if wrong := check(o); wrong != nil {
		t.Error(wrong)
	}
}

// What a device missed before a connection that was not recovered is no loss, if
// it asked for it.
func TestANewConnectionAsksForWhatItMissed(t *testing.T) {
	o := good()
	d := o.devices[1]
	d.told[10] = d.heard[2].change
	d.heard = append(d.heard[:2:2], d.heard[3])
	d.joins[1].recovered = false
	if wrong := check(o); wrong != nil {
		t.Error(wrong)
	}
	delete(d.told, 10)
	if wrong := check(o); len(wrong) == 0 {
		t.Error("it did not ask and nobody saw")
	}
}

func TestCountsOfAnOutcome(t *testing.T) {
	o := good()
	o.ops[0].sent = 3
	o.ops[0].answers = append(o.ops[0].answers,
		reply{door: "batch", effect: applied, doc: o.ops[0].answers[0].doc, sent: time.Now(), raw: "a #1"})
	o.late, o.hits = 1500*time.Millisecond, map[string]int{kills: 2}
	o.job = job{on: setup{sqlite, 1, false}, class: classes[0]}
	var total totals
	total.add(o)
	total.add(o)
	want := counts{
		schedules: 2, operations: 12, acknowledged: 10, repeats: 4, replays: 2, recoveries: 4, events: 16,
		late: 2, latest: 1500 * time.Millisecond, hits: map[string]int{kills: 4}, wrong: map[string]int{},
	}
	if diff := cmp.Diff(want, total.rows[0].counts, cmp.AllowUnexported(counts{})); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// A class that never hit fails the run.
func TestSilenceProvesNothing(t *testing.T) {
	o := good()
	o.job = job{on: setup{sqlite, 1, false}, class: classes[0]}
	var total totals
	total.add(o)
	if err := total.quiet(); err == nil {
		t.Error("a run without a hit passes")
	}
}
