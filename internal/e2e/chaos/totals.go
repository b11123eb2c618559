package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Counts are what happened in one schedule, or in many.
type counts struct {
	schedules, operations, acknowledged int
	repeats, replays                    int // requests sent again; of them, answered from what had been stored
	recoveries, fresh, asked            int // connections; changes that were asked for after fresh ones
	events                              int
	late                                int // schedules equal later than a second after the last CONNECT
	latest                              time.Duration
	hits                                map[string]int
	wrong                               map[string]int // by kind
	bug                                 string         // that the servers had
}

// A row is the counts of one class on one database.
type row struct {
	db, class string
	counts
}

// totals is everything that a run counts.
type totals struct{ rows []*row }

func (t *totals) row(db, class string) *row {
	i := slices.IndexFunc(t.rows, func(r *row) bool { return r.db == db && r.class == class })
	if i < 0 {
		i = len(t.rows)
		t.rows = append(t.rows, &row{db, class, counts{hits: make(map[string]int), wrong: make(map[string]int)}})
	}
	return t.rows[i]
}

func (t *totals) add(o *outcome) { t.row(o.job.on.String(), o.job.class.name).add(o.counts()) }

func (c *counts) add(d counts) {
	c.schedules += d.schedules
	c.operations += d.operations
	c.acknowledged += d.acknowledged
	c.repeats += d.repeats
	c.replays += d.replays
	c.recoveries += d.recoveries
	c.fresh += d.fresh
	c.asked += d.asked
	c.events += d.events
	c.late += d.late
	c.bug = d.bug
	c.latest = max(c.latest, d.latest)
	for kind, n := range d.hits {
		c.hits[kind] += n
	}
	for kind, n := range d.wrong {
		c.wrong[kind] += n
	}
}

// counts counts one schedule.
func (o *outcome) counts() counts {
	c := counts{schedules: 1, latest: max(0, o.late), hits: o.hits, wrong: make(map[string]int), bug: o.job.bug}
	if o.late > time.Second {
		c.late = 1
	}
	stored := o.stored()
	for _, op := range o.ops {
		c.countOperation(op, stored)
	}
	for _, d := range o.devices {
		c.events += len(d.heard)
		c.asked += len(d.told)
		for i, j := range d.joins {
			if j.recovered {
				c.recoveries++
			} else if i > 0 {
				c.fresh++
			}
		}
	}
	for _, w := range o.wrong {
		kind, _, _ := strings.Cut(w, ":")
		c.wrong[kind]++
	}
	return c
}

// stored tells when each mark's change was committed.
func (o *outcome) stored() map[string]time.Time {
	at := make(map[string]time.Time)
	for _, l := range o.users {
		for _, e := range l.log {
			at[e.Expense.Description] = e.At
		}
	}
	return at
}

func (c *counts) countOperation(op *operation, stored map[string]time.Time) {
	c.operations++
	c.repeats += max(0, op.sent-1)
	if len(op.answers) > 0 {
		c.acknowledged++
	}
	at, there := stored[op.mark]
	for _, r := range op.answers {
		if there && r.effect != refused && r.sent.After(at.Add(time.Millisecond)) {
			c.replays++
		}
	}
}

// line is a schedule in one line of progress.
func (o *outcome) line() string {
	c := o.counts()
	return fmt.Sprintf("%d devices, %d operations, %d events, %d recoveries, %d fresh, %d replays, %s; equal after %v (took %v)",
		len(o.devices), c.operations, c.events, c.recoveries, c.fresh, c.replays, hitList(c.hits),
		c.latest.Round(time.Millisecond), o.took.Round(10*time.Millisecond))
}

func hitList(hits map[string]int) string {
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(hits)) {
		list = append(list, fmt.Sprintf("%d %s", hits[kind], kind))
	}
	return strings.Join(list, ", ")
}

func (t *totals) broken() bool {
	return slices.ContainsFunc(t.rows, func(r *row) bool { return len(r.wrong) > 0 })
}

// quiet tells which faults never hit.
func (t *totals) quiet() error {
	var errs []error
	for _, r := range t.rows {
		i := slices.IndexFunc(classes, func(c class) bool { return c.name == r.class })
		for _, kind := range classes[i].hits {
			if r.hits[kind] == 0 && r.schedules >= hitWithin {
				errs = append(errs, fmt.Errorf("%s, %s: no %s in %d schedules, which proves nothing", r.db, r.class, kind, r.schedules))
			}
		}
		if len(r.hits) == 0 {
			errs = append(errs, fmt.Errorf("%s, %s: nothing hit in %d schedules, which proves nothing", r.db, r.class, r.schedules))
		}
	}
	if len(t.rows) == 0 {
		errs = append(errs, errors.New("nothing was run"))
	}
	return errors.Join(errs...)
}

// unproven tells which classes did not find the bug that their servers had.
func (t *totals) unproven() error {
	var errs []error
	for _, r := range t.rows {
		if len(r.wrong) == 0 {
			errs = append(errs, fmt.Errorf("%s, %s: %s was not found in %d schedules", r.db, r.class, r.bug, r.schedules))
		}
	}
	if len(t.rows) == 0 {
		errs = append(errs, errors.New("nothing was run"))
	}
	return errors.Join(errs...)
}

// printProofs writes the table of -prove.
func (t *totals) printProofs(w io.Writer) {
	fmt.Fprintln(w, "| set-up | class | bug | found in schedule | called |\n|---|---|---|---|---|")
	for _, r := range t.rows {
		at := fmt.Sprint(r.schedules)
		if len(r.wrong) == 0 {
			at = "not in " + at
		}
		fmt.Fprintf(w, "| %s | `%s` | `%s` | %s | %s |\n", r.db, r.class, r.bug, at, strings.Join(slices.Sorted(maps.Keys(r.wrong)), ", "))
	}
}

// hitWithin is how many schedules a class has to hit with each of its kinds; with
// fewer, any will do.
const hitWithin = 5

// kindsOfWrong are the columns of what must be zero.
var kindsOfWrong = []string{"lost", "duplicated", "divergent", "stuck", "foreign", "presence", "hints"}

// print writes the table, as docs/reliability.md has it.
func (t *totals) print(w io.Writer) {
	fmt.Fprintln(w, "| database | fault | schedules | hits | operations (answered) | sent again (replays answered) | recoveries, "+
		"fresh (asked) | events | lost, duplicated, divergent, stuck, foreign, presence, hints | latest; later than 1 s |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|")
	for _, r := range t.rows {
		wrong := make([]string, len(kindsOfWrong))
		for i, kind := range kindsOfWrong {
			wrong[i] = fmt.Sprint(r.wrong[kind])
		}
		fmt.Fprintf(w, "| %s | %s | %d | %s | %d (%d) | %d (%d) | %d, %d (%d) | %d | %s | %v; %d |\n",
			r.db, r.class, r.schedules, hitList(r.hits), r.operations, r.acknowledged, r.repeats, r.replays,
			r.recoveries, r.fresh, r.asked, r.events, strings.Join(wrong, ", "), r.latest.Round(time.Millisecond), r.late)
	}
}
