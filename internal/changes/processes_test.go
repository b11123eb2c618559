package changes_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"expenseflow/internal/changes"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// A process is a store of its own on the common database, with a tail that gets no hints and is
// driven by the test.
type process struct {
	t      *testing.T
	store  *store.Store
	tail   *changes.Tail[int64]
	member models.Member
}

func startProcess(t *testing.T, o store.Options, id string) *process {
	p := &process{t: t, store: storetest.Open(t, o), member: models.Member{ID: id}}
	p.tail = changes.New(p.store, encode, changes.Options{PageSize: 3, Logger: slog.New(slog.DiscardHandler)})
	for range 4 { // until its place among the moves is kept
		p.beat()
		p.poll()
	}
	return p
}

func (p *process) beat() {
	p.t.Helper()
	generation, _, err := p.store.Heartbeat(context.Background(), p.member)
	if err != nil {
		p.t.Fatal(err)
	}
	p.member.Generation = generation
}

// poll is what Run does once a second.
func (p *process) poll() {
	p.t.Helper()
	if err := p.tail.Poll(context.Background()); err != nil {
		p.t.Fatal(err)
	}
	for p.tail.Step(context.Background()) {
	}
}

func (p *process) write(userID string) {
	p.t.Helper()
	if err := p.writeWhile(userID, func() {}); err != nil {
		p.t.Fatal(err)
	}
}

// writeWhile writes a change in a transaction in which something else happens.
func (p *process) writeWhile(userID string, meanwhile func()) error {
	return p.store.Write(context.Background(), userID, func(tx *store.Tx) error {
		tx.AppendChange(models.ExpenseCreated, models.Expense{ID: storetest.ID(), UserID: userID}, models.Author{})
		meanwhile()
		return nil
	})
}

// A hanging writer has done everything but commit.
type hanging struct {
	release chan struct{}
	done    errgroup.Group
}

// hang begins a write that hangs until commit.
func (p *process) hang(userID string) *hanging {
	h := &hanging{release: make(chan struct{})}
	inside := make(chan struct{})
	h.done.Go(func() error {
		return p.writeWhile(userID, func() { close(inside); <-h.release })
	})
	<-inside
	return h
}

func (h *hanging) commit(t *testing.T) {
	t.Helper()
	close(h.release)
	if err := h.done.Wait(); err != nil {
		t.Fatal(err)
	}
}

// Processes share a database and tell each other nothing: no wake, no hint. Transactions commit
// in another order than they began, writers hang, one is gone right after its commit, and a
// transaction in another database stays open for as long as the test. Every change is delivered
// by the next poll, and no log is compared but those that moved.
func TestWithoutAnyHintTheNextPollDeliversWhateverTheOrderOfCommits(t *testing.T) {
	dsn := storetest.PostgresDSN(t)
	o := storetest.PostgresOptions(t, dsn)
	holdTransactionElsewhere(t, dsn)
	processes := []*process{startProcess(t, o, "a"), startProcess(t, o, "b"), startProcess(t, o, "c")}
	reader := processes[2]
	users := make([]models.User, 6)
	heard := make([]*recorder, len(users))
	for i := range users {
		users[i] = storetest.User(t, reader.store)
		heard[i] = subscribe(reader.tail, users[i].ID, 0)
	}
	reader.poll()
	compared := reader.tail.Stats().Comparisons
	want := make([]int64, len(users))
	wantHeard := func(what string) {
		t.Helper()
		reader.poll()
		for i, l := range heard {
			if l.missing(want[i]) {
				t.Fatalf("%s: of user %d, the next poll has delivered up to %d of %d", what, i, l.Position(), want[i])
			}
		}
	}

	hung := processes[0].hang(users[0].ID) // until the end
	for round := range 10 {
		early, late := processes[round%2].hang(users[1].ID), processes[1].hang(users[2].ID)
		processes[0].write(users[3].ID)
		want[3]++
		wantHeard("a commit while older transactions run")
		late.commit(t)
		want[2]++
		wantHeard("the younger of two commits first")
		for _, p := range processes {
			p.poll() // a and b go on too, so that moves are pruned
			p.beat()
		}
		early.commit(t)
		want[1]++
		wantHeard("the older of two commits last")

		gone := startProcess(t, o, fmt.Sprintf("gone %d", round))
		gone.write(users[4].ID)
		if err := gone.store.Close(); err != nil {
			t.Fatal(err)
		}
		want[4]++
		wantHeard("a process that is gone after its commit")
	}
	hung.commit(t)
	want[0]++
	wantHeard("the writer that hung")
	if s := reader.tail.Stats(); s.Comparisons != compared || s.Found != 0 {
		t.Errorf("%d comparisons of all logs, which found %d", s.Comparisons-compared, s.Found)
	}
}

// holdTransactionElsewhere has a transaction that writes stay open in another database of the
// server until the test ends.
func holdTransactionElsewhere(t *testing.T, dsn string) {
	t.Helper()
	admin := connectTo(t, dsn, "")
	name := "other_" + storetest.ID()
	run(t, admin, "CREATE DATABASE "+name)
	t.Cleanup(func() { run(t, admin, "DROP DATABASE "+name+" WITH (FORCE)") })
	other := connectTo(t, dsn, name)
	run(t, other, "BEGIN")
	run(t, other, "CREATE TABLE held (id int)")
}

func connectTo(t *testing.T, dsn, database string) *pgx.Conn {
	t.Helper()
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if database != "" {
		cfg.Database = database
	}
	conn, err := pgx.ConnectConfig(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func run(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// A process whose place was not kept any more, because it was paused and taken for dead, misses
// nothing: it compares everything.
func TestAProcessThatWasTakenForDeadMissesNothing(t *testing.T) {
	o := storetest.PostgresOptions(t, storetest.PostgresDSN(t))
	a, paused := startProcess(t, o, "a"), startProcess(t, o, "b")
	u := storetest.User(t, a.store)
	l := subscribe(paused.tail, u.ID, 0)
	paused.poll()
	a.write(u.ID)
	conn := connectTo(t, o.URL, "")
	run(t, conn, "UPDATE processes SET heartbeat_at = heartbeat_at - 11000 WHERE id = 'b'")
	for range 3 {
		a.poll()
		a.beat() // which removes the other one, and the moves that only it had not read
	}
	paused.poll()
	if found := paused.tail.Stats().Found; l.missing(1) || found != 1 {
		t.Errorf("got %v; comparisons found %d", l.got, found)
	}
}
