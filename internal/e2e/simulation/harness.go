package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/glebarez/sqlite"

	"expenseflow/internal/changes"
	"expenseflow/internal/keyring"
	"expenseflow/internal/ledger"
	"expenseflow/internal/reconcile"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
	"expenseflow/sockets"
)

// A harness is a database in memory in which clusters are played one after the other,
// each with users of its own.
type harness struct {
	folder    string
	store     *store.Store
	recoverer *sockets.Recoverer
	epoch     string
	cluster   *cluster // the one that is played
	tally     tally    // what happened in all of them
	outcomes  tally    // what operations came to
}

// A tally counts things by their names.
type tally map[string]int

func (t tally) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(t)) {
		fmt.Fprintf(&b, "%10d %s\n", t[name], name)
	}
	return b.String()
}

func (t tally) add(other tally) {
	for name, n := range other {
		t[name] += n
	}
}

// newHarness opens a fresh database on the machine's memory file system, or else in
// its folder for temporary files.
func newHarness(ctx context.Context) (*harness, error) {
	folder, err := os.MkdirTemp(memory(), "expenseflow-simulation-")
	if err != nil {
		return nil, err
	}
	l := &harness{folder: folder, tally: tally{}, outcomes: tally{}}
	l.store, err = store.Open(ctx, store.Options{
		URL: filepath.Join(folder, database), SQLiteSync: "OFF", // no test cuts the power
		Logger: quiet, Now: l.now,
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err = l.refuse(ctx, poisonous); err == nil {
		l.epoch, err = l.store.Epoch(ctx)
	}
	if err == nil {
		stream := sockets.NewStream(l.epoch, sockets.BothNames)
		l.recoverer = sockets.NewRecoverer(stream, keyring.New([]byte("a secret of at least thirty-two bytes")), nil)
	}
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// refuse has the database refuse log entries with a text. By then the expense itself
// is written.
func (l *harness) refuse(ctx context.Context, text string) error {
	db, err := sql.Open(sqlite.DriverName, filepath.Join(l.folder, database))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf(`CREATE TRIGGER refuse BEFORE INSERT ON changes
		WHEN instr(NEW.payload, '%s') BEGIN SELECT RAISE(ABORT, 'refused'); END`, text))
	return errors.Join(err, db.Close())
}

const database = "simulation.db"

var quiet = slog.New(slog.DiscardHandler)

// memory is a folder that is not on a disk, where there is one.
func memory() string {
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err == nil && info.IsDir() {
		return shm
	}
	return ""
}

func (l *harness) close() error { return errors.Join(l.store.Close(), os.RemoveAll(l.folder)) }

// now is the clock. The database is an hour old when a cluster begins, whose clocks may be set
// back: no moment is from before the database.
func (l *harness) now() time.Time {
	if l.cluster == nil {
		return time.UnixMilli(morning).Add(-time.Hour)
	}
	return time.UnixMilli(l.cluster.now)
}

func (l *harness) beforeCommit() error {
	if l.cluster == nil || l.cluster.request == nil {
		return nil
	}
	return l.cluster.request.committing()
}

// A process is what one server process keeps in memory.
type process struct {
	w     *cluster
	name  string
	up    bool
	links []*link

	ledger     *ledger.Ledger
	reconciler *reconcile.Reconciler
	tail       *changes.Tail[[]event]
	stepper    stepper // tail
}

// A stepper is a tail that is not run. Its methods are there for tests of the package
// changes, and here by the overlay (package overlay).
type stepper interface {
	Step(ctx context.Context) bool
	Poll(ctx context.Context) error
}

// start makes a process that knows nothing but the store.
func (p *process) start() {
	p.tail = changes.New(p.w.harness.store, p.w.harness.encode, changes.Options{PageSize: p.w.page, Logger: quiet})
	p.stepper = any(p.tail).(stepper)
	p.ledger = ledger.New(p.w.harness.store, p.woken, ledger.Options{})
	p.reconciler = reconcile.New(p.ledger, p.w.harness.store, reconcile.Options{ChunkSize: p.w.chunk, Logger: quiet})
	p.up = true
}

// die ends a process without a word.
func (p *process) die() {
	p.w.note("%s dies", p.name)
	for len(p.links) > 0 {
		p.links[0].cut()
	}
	p.up = false
}

// woken is where the ledger tells that it has committed something.
func (p *process) woken(userID string) {
	if r := p.w.request; r != nil {
		r.committed()
	}
	p.tail.Wake(userID)
	for _, other := range p.w.processes {
		if other != p {
			p.w.hints = append(p.w.hints, hint{other, userID})
		}
	}
	p.w.meanwhile()
}

// step lets one worker of the tail work.
func (p *process) step() bool { return p.up && p.stepper.Step(p.w.ctx) }

// A hint is on its way from one process to another.
type hint struct {
	to     *process
	userID string
}

// An event is what a device hears of a change: one of its parts, which are its
// spellings.
type event struct {
	wire.Event
	seq    int64
	offset string
}

// encode makes the events of a page of the log.
func (l *harness) encode(page []models.Change) [][]event {
	all := make([][]event, len(page))
	for i := range page {
		c := &page[i]
		for _, e := range wire.Events(c) {
			all[i] = append(all[i], event{e, c.Seq, wire.EventOffset(l.epoch, c.UserID, c.Seq, e.Variant)})
		}
	}
	return all
}

// after is where a device stands that has handled the event.
func (e *event) after() sockets.StreamPosition {
	if e.Variant == wire.UnderscoreVariant {
		return sockets.StreamPosition{Seq: e.seq - 1, NextVariant: e.Variant + 1}
	}
	return sockets.StreamPosition{Seq: e.seq}
}
