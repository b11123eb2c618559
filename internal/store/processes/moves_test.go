package processes_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
	"expenseflow/models"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// A follower is a process that follows the moves.
type follower struct {
	t      testing.TB
	s      *store.Store
	member models.Member
	cursor models.MoveCursor
}

// follow makes a process whose answers are no longer "all".
func follow(t testing.TB, s *store.Store, id string) *follower {
	t.Helper()
	f := &follower{t: t, s: s, member: models.Member{ID: id}}
	f.settle()
	return f
}

// settle reads until the answer is not "all", which takes a few heartbeats at most.
func (f *follower) settle() {
	f.t.Helper()
	for range 4 {
		f.beat()
		if _, all := f.read(); !all {
			return
		}
	}
	f.t.Fatalf("%s compares everything for ever", f.member.ID)
}

func (f *follower) beat() (living []models.Member) {
	f.t.Helper()
	generation, living, err := f.s.Heartbeat(context.Background(), f.member)
	if err != nil {
		f.t.Fatalf("Heartbeat: %v", err)
	}
	f.member.Generation = generation
	return living
}

// look is Moves from where the process is.
func (f *follower) look() (moved []string, next models.MoveCursor, all bool) {
	f.t.Helper()
	moved, next, all, err := f.s.Moves(context.Background(), f.cursor)
	if err != nil {
		f.t.Fatalf("Moves: %v", err)
	}
	return moved, next, all
}

// read is look, and goes on.
func (f *follower) read() (moved []string, all bool) {
	f.t.Helper()
	moved, f.cursor, all = f.look()
	return moved, all
}

func (f *follower) want(moved ...string) {
	f.t.Helper()
	got, all := f.read()
	slices.Sort(moved)
	if all || !slices.Equal(got, moved) {
		f.t.Errorf("%s heard of %v (all: %v), want %v", f.member.ID, got, all, moved)
	}
}

func (f *follower) wantAll(why string) {
	f.t.Helper()
	if _, all := f.read(); !all {
		f.t.Errorf("%s goes on after %s", f.member.ID, why)
	}
}

// connect is a connection beside the stores.
func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func execute(t testing.TB, conn *pgx.Conn, statement string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func TestAMoveIsHeardOfOnce(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u, other := storetest.User(t, s), storetest.User(t, s)
		f := &follower{t: t, s: s, member: models.Member{ID: "a"}}
		if s.Dialect() == "sqlite" {
			f.wantAll("nothing at all")
		} else {
			f.settle()
		}
		f.want()
		for range 3 {
			storetest.Must(add(s, u.ID))(t)
		}
		f.want(u.ID)
		f.want()
		if err := s.Write(t.Context(), other.ID, func(*store.Tx) error { return nil }); err != nil { // which changes nothing
			t.Fatal(err)
		}
		f.want()
		storetest.Must(add(s, other.ID))(t)
		storetest.Must(add(s, u.ID))(t)
		f.want(u.ID, other.ID)
		if err := s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
			tx.AppendChange(models.ExpenseCreated, expense(u.ID), models.Author{})
			return errOnPurpose
		}); err == nil {
			t.Fatal("no error")
		}
		f.want()
		if err := s.DeleteUser(t.Context(), u.ID); err != nil {
			t.Fatal(err)
		}
		f.want(u.ID)
		f.want()
	})
}

// A process that asks after the moves of long ago on SQLite compares everything.
func TestNotedMovesAreBounded(t *testing.T) {
	s := storetest.Open(t, storetest.SQLiteOptions(t))
	f := &follower{t: t, s: s}
	f.wantAll("the start")
	early := f.cursor
	for range 1<<16 + 1 {
		s.NoteMoves([]string{"alice"})
	}
	f.wantAll("more moves than are kept")
	s.NoteMoves([]string{"bob"})
	f.want("bob")
	f.cursor = early
	f.wantAll("a position of long ago")
}

// Whatever the order in which transactions begin, commit and roll back, and however long some
// stay open, each call of Moves returns exactly what has committed since the one before.
func TestEachMoveIsHeardOfByTheNextCallWhateverTheOrderOfCommits(t *testing.T) {
	o := storetest.PostgresOptions(t, storetest.PostgresDSN(t))
	f := follow(t, storetest.Open(t, o), "a")
	other := follow(t, storetest.Open(t, o), "b")
	elsewhere := connect(t, storetest.PostgresDSN(t))
	execute(t, elsewhere, "BEGIN")
	execute(t, elsewhere, "SELECT pg_current_xact_id()") // open for as long as the test
	writers := make([]*writer, 4)
	for i := range writers {
		writers[i] = &writer{conn: connect(t, o.URL)}
	}
	users := 0
	rapid.Check(t, func(rt *rapid.T) {
		m := &movesModel{t: rt, writers: writers, followers: []*follower{f, other}, users: &users, due: map[*follower]map[string]bool{}}
		for _, f := range m.followers {
			m.due[f] = map[string]bool{}
		}
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			m.step()
		}
		for _, w := range m.writers {
			m.end(w, "COMMIT")
		}
		for _, f := range m.followers {
			m.read(f)
		}
	})
}

// A writer has a transaction of its own now and then.
type writer struct {
	conn   *pgx.Conn
	userID string // whom it moves; "" without a transaction
}

// A movesModel knows of each follower whose moves it has not heard of.
type movesModel struct {
	t         *rapid.T
	writers   []*writer
	followers []*follower
	users     *int
	due       map[*follower]map[string]bool
}

func (m *movesModel) step() {
	w := rapid.SampledFrom(m.writers).Draw(m.t, "writer")
	f := rapid.SampledFrom(m.followers).Draw(m.t, "follower")
	switch rapid.IntRange(0, 9).Draw(m.t, "step") {
	case 0, 1, 2:
		m.begin(w)
	case 3, 4:
		m.end(w, "COMMIT")
	case 5:
		m.end(w, "ROLLBACK")
	case 6, 7:
		m.read(f)
	case 8:
		m.look(f) // whose caller then could not read the heads
	default:
		f.beat()
	}
}

func (m *movesModel) begin(w *writer) {
	if w.userID != "" {
		return
	}
	*m.users++
	w.userID = fmt.Sprintf("user %06d", *m.users)
	m.exec(w, "BEGIN")
	m.exec(w, "INSERT INTO moved (user_id) VALUES ($1)", w.userID)
}

func (m *movesModel) end(w *writer, how string) {
	if w.userID == "" {
		return
	}
	m.exec(w, how)
	for _, due := range m.due {
		if how == "COMMIT" {
			due[w.userID] = true
		}
	}
	w.userID = ""
}

func (m *movesModel) exec(w *writer, statement string, args ...any) {
	if _, err := w.conn.Exec(context.Background(), statement, args...); err != nil {
		m.t.Fatalf("%s: %v", statement, err)
	}
}

func (m *movesModel) look(f *follower) models.MoveCursor {
	moved, next, all := f.look()
	if all || len(moved) != len(m.due[f]) {
		m.t.Fatalf("%s heard of %v (all: %v), want %v", f.member.ID, moved, all, m.due[f])
	}
	for _, userID := range moved {
		if !m.due[f][userID] {
			m.t.Fatalf("%s heard of %s, want %v", f.member.ID, userID, m.due[f])
		}
	}
	return next
}

func (m *movesModel) read(f *follower) {
	f.cursor = m.look(f)
	clear(m.due[f])
}

// What a process has not read is kept as long as its row is there, and no longer: then it
// compares everything.
func TestMovesAreKeptForTheSlowestProcess(t *testing.T) {
	o := storetest.PostgresOptions(t, storetest.PostgresDSN(t))
	s := storetest.Open(t, o)
	u, held := storetest.User(t, s), storetest.User(t, s)
	swift, slow := follow(t, s, "a"), follow(t, storetest.Open(t, o), "b")
	storetest.Must(add(s, u.ID))(t)
	swift.want(u.ID)
	swift.want() // by which it says that it has read them
	swift.beat()
	storetest.Same(t, "moves kept for the slow process", int64(1), count(t, s, "moved"))
	slow.want(u.ID)

	w := connect(t, o.URL)
	execute(t, w, "BEGIN")
	execute(t, w, "INSERT INTO moved (user_id) VALUES ($1)", held.ID)
	for range 2 {
		storetest.Must(add(s, u.ID))(t)
		for _, f := range []*follower{slow, swift} {
			f.read()
			f.read()
			f.beat()
		}
		swift.beat() // the one with the smallest id prunes
	}
	storetest.Same(t, "moves that all have read", int64(0), count(t, s, "moved"))
	execute(t, w, "COMMIT")
	swift.want(held.ID)
	swift.want()
	swift.beat()
	storetest.Same(t, "moves kept", int64(1), count(t, s, "moved"))

	execute(t, w, "UPDATE processes SET heartbeat_at = heartbeat_at - 11000 WHERE id = 'b'")
	swift.beat()
	swift.beat()
	storetest.Same(t, "moves kept for a process that is dead", int64(0), count(t, s, "moved"))
	slow.wantAll("its moves were removed")
	slow.settle()
	storetest.Must(add(s, u.ID))(t)
	slow.want(u.ID)
}

// What may have emptied the table in between, or brings another server, makes a process
// compare everything.
func TestWhatMayHaveLostMovesMakesAProcessCompareAll(t *testing.T) {
	server := testneed.NewPostgres(t)
	s := storetest.Open(t, store.Options{URL: server.URL})
	u := storetest.User(t, s)
	f := follow(t, s, "a")
	for _, lost := range []struct {
		what string
		how  func()
	}{
		{"the connection ended", func() {
			storetest.SQL(t, server.URL, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres' AND pid <> pg_backend_pid()")
		}},
		{"a new epoch", func() { storetest.Must(s.NewEpoch(t.Context()))(t) }},
		{"its row was removed", func() {
			if err := s.Leave(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
		}},
		{"the users were restored", func() {
			storetest.SQL(t, server.URL, "BEGIN", "CREATE TEMP TABLE saved AS SELECT * FROM users", "TRUNCATE users CASCADE",
				"INSERT INTO users SELECT * FROM saved", "COMMIT")
		}},
		{"the server crashed", func() { server.Stop(t); server.Start(t) }},
	} {
		storetest.Must(add(s, u.ID))(t)
		lost.how()
		for range 40 {
			_ = s.Ping(t.Context()) // so that the pool has no connection of before
		}
		f.wantAll(lost.what)
		f.settle()
		storetest.Must(add(s, u.ID))(t)
		f.want(u.ID)
	}
}

// Rows of a backup from another server have transactions that are yet to come here: they were
// in every answer.
func TestMovesOfAnotherServerGoAway(t *testing.T) {
	o := storetest.PostgresOptions(t, storetest.PostgresDSN(t))
	s := storetest.Open(t, o)
	f := follow(t, s, "a")
	storetest.SQL(t, o.URL, "INSERT INTO moved (xid, user_id) VALUES ('9000000000', 'alice')")
	f.want("alice")
	f.beat()
	f.want()
	f.want()
}
