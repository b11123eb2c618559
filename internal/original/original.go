// Package original imports the data of the original server (Express, Mongoose, MongoDB) from a
// dump of its database.
//
// What it promises:
//
//   - A dump is read whole before anything is written: one that is cut off, damaged or of
//     another application changes nothing.
//   - Every document is accounted for: imported, already here, newer here, or not imported with
//     a reason. Fields that have no place here are counted by name.
//   - It may be repeated: documents are known by their ids (ledger.Import).
//   - After each document the amounts in the database are read back, and their sums by user and
//     category are compared with those of the dump.
//   - Memory grows with the number of users, not with that of documents.
//
// The shapes of documents are those of the original's models (docs/contract.md#documents) from
// its first revision to its last; what is the same by another name is read too.
package original

import (
	"context"
	"errors"
	"fmt"
	"time"

	"expenseflow/internal/ledger"
	"expenseflow/internal/mongodump"
	"expenseflow/internal/operator"
)

// Options say how a dump is imported.
type Options struct {
	Database string // of several in the dump; "" if there is one

	// DryRun changes nothing. Accounts that are not here yet, and what belongs to them, are
	// imported into the database of Scratch, which has nothing else and is thrown away.
	DryRun  bool
	Scratch *operator.Client

	// Progress is called now and then; nil is nobody. total is 0 while the dump is checked.
	Progress func(done, total int64)
}

// progressInterval is how often Options.Progress is called.
const progressInterval = 2 * time.Second

// A run is one import.
type run struct {
	ctx    context.Context
	target *operator.Client // nil without a database
	dump   *mongodump.Dump
	opts   Options
	report *Report

	database string
	accounts accountMap
	batch    batch
	sums     sums
	told     time.Time // when Options.Progress was last called
	done     int64
	total    int64
}

// Import imports a dump through the client of whoever has the database open, nil if there is
// none yet and nothing is to be changed. The report says what became of the documents that were
// read, also if there is an error: then it is not complete.
func Import(ctx context.Context, target *operator.Client, dump *mongodump.Dump, o Options) (*Report, error) {
	r := &run{
		ctx: ctx, target: target, dump: dump, opts: o, told: time.Now(),
		report: newReport(o.DryRun), accounts: newAccountMap(), sums: sums{},
	}
	r.batch.run = r
	found, err := r.survey()
	if err != nil {
		return r.report, err
	}
	if r.database, err = found.choose(o.Database); err != nil {
		return r.report, err
	}
	r.report.begin(r.database, found)
	r.total = found.documents(r.database)
	for _, step := range []func() error{r.importUsers, r.importRecords} {
		if err := step(); err != nil {
			return r.report, err
		}
	}
	r.report.Sums = r.sums.compare()
	return r.report, nil
}

// isOf returns whether documents of a namespace are of the database that is imported.
func (r *run) isOf(ns mongodump.Namespace) bool { return ns.Database == r.database }

// progress counts a document that is done with.
func (r *run) progress() {
	if r.done++; r.done%1000 != 0 {
		return
	}
	r.tell(r.done, r.total)
}

func (r *run) tell(done, total int64) {
	if r.opts.Progress != nil && time.Since(r.told) >= progressInterval {
		r.told = time.Now()
		r.opts.Progress(done, total)
	}
}

// A mapper makes a record of a document, and notes in c what it changed or left out. Its error
// is a problem: why the document is not imported.
type mapper func(d document, c *Collection) (ledger.Record, error)

// mappers are those of the collections that have a place here, besides users.
var mappers = map[string]mapper{
	"expenses": expense, "budgets": budget, "goals": goal, "notifications": notification,
	"notificationpreferences": preferences, "syncqueues": operation,
}

// importRecords imports everything but the users, whose accounts are here now.
func (r *run) importRecords() error {
	wanted := func(ns mongodump.Namespace) bool { return r.isOf(ns) && mappers[ns.Collection] != nil }
	err := r.dump.Each(wanted, func(doc mongodump.Document) error {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		return r.importDocument(doc)
	})
	if err == nil {
		err = r.batch.flush()
	}
	return errors.Join(err, r.batch.await())
}

func (r *run) importDocument(doc mongodump.Document) error {
	r.progress()
	c := r.report.collection(doc.Collection)
	d, err := parse(doc.Raw)
	if err != nil {
		c.refuse("", err)
		return nil
	}
	owner, err := r.accounts.owner(d.user)
	if err != nil {
		c.refuse(d.id, err)
		return nil
	}
	record, err := mappers[doc.Collection](d, c)
	if err != nil {
		c.settle(d.id, err)
		return nil
	}
	return r.batch.add(owner, d.id, c, record)
}

// A problem is why a document is not imported, as a sentence.
type problem string

func (p problem) Error() string { return string(p) }

func problemf(format string, args ...any) error { return problem(fmt.Sprintf(format, args...)) }

// A notNeeded is why a document is left out, which is nothing to mend.
type notNeeded string

func (n notNeeded) Error() string { return string(n) }
