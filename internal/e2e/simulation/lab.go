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
	"expenseflow/internal/ledger"
	"expenseflow/internal/reconcile"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
	"expenseflow/sockets"
)

// A lab is a database in memory in which worlds are played one after the other,
// each with users of its own.
type lab struct {
	folder   string
	store    *store.Store
	trail    *sockets.Trail
	epoch    string
	world    *world // the one that is played
	tally    tally  // what happened in all of them
	outcomes tally  // what operations came to
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

// newLab opens a fresh database on the machine's memory file system, or else in
// its folder for temporary files.
func newLab(ctx context.Context) (*lab, error) {
	folder, err := os.MkdirTemp(memory(), "expenseflow-simulation-")
	if err != nil {
		return nil, err
	}
	l := &lab{folder: folder, tally: tally{}, outcomes: tally{}}
	l.store, err = store.Open(ctx, store.Options{
		URL: filepath.Join(folder, database), SQLiteSync: "OFF", // no test cuts the power
		Logger: quiet, Now: l.now, BeforeCommit: l.beforeCommit,
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err = l.refuse(ctx, poisonous); err == nil {
		l.epoch, err = l.store.Epoch(ctx)
	}
	if err == nil {
		l.trail, err = sockets.NewTrail(l.epoch, []byte("a secret of at least thirty-two bytes"), sockets.BothSpellings)
	}
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// refuse has the database refuse log entries with a text. By then the expense itself
// is written.
func (l *lab) refuse(ctx context.Context, text string) error {
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

func (l *lab) close() error { return errors.Join(l.store.Close(), os.RemoveAll(l.folder)) }

func (l *lab) now() time.Time {
	if l.world == nil {
		return time.UnixMilli(morning)
	}
	return time.UnixMilli(l.world.now)
}

func (l *lab) beforeCommit() error {
	if l.world == nil || l.world.request == nil {
		return nil
	}
	return l.world.request.committing()
}

// A process is what one server process keeps in memory.
type process struct {
	w     *world
	name  string
	up    bool
	links []*link

	ledger     *ledger.Ledger
	reconciler *reconcile.Reconciler
	tail       *changes.Tail[[]event]
}

// start makes a process that knows nothing but the store.
func (p *process) start() {
	p.tail = changes.New(p.w.lab.store, p.w.lab.encode, changes.Options{PageSize: p.w.page, Logger: quiet})
	p.ledger = ledger.New(p.w.lab.store, p.woken, ledger.Options{})
	p.reconciler = reconcile.New(p.ledger, p.w.lab.store, reconcile.Options{ChunkSize: p.w.chunk, Logger: quiet})
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
func (p *process) step() bool { return p.up && p.tail.Step(p.w.ctx) }

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
func (l *lab) encode(page []models.Change) [][]event {
	all := make([][]event, len(page))
	for i := range page {
		c := &page[i]
		for _, e := range wire.Events(c) {
			all[i] = append(all[i], event{e, c.Seq, wire.OffsetOf(l.epoch, c.UserID, c.Seq, e.Part)})
		}
	}
	return all
}

// after is where a device stands that has handled the event.
func (e *event) after() sockets.Place {
	if e.Part == wire.Underscore {
		return sockets.Place{Seq: e.seq - 1, Heard: e.Part + 1}
	}
	return sockets.Place{Seq: e.seq}
}
