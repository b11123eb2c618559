package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"expenseflow/internal/failpoint"
	"expenseflow/internal/seededbug"
	"expenseflow/models"

	"gorm.io/gorm"
)

// How often a transaction runs again after a serialisation failure or a
// deadlock, and the first pause before it does; each further pause is longer.
const (
	maxRuns    = 8
	firstPause = 5 * time.Millisecond
)

// Write runs fn in one transaction that holds the user's row lock, writes what
// fn saved with bulk statements, and commits. When it returns nil, the data is
// on disk.
//
// fn may run again after a serialisation failure, so it touches tx alone and
// resets its own results first. Reads through tx see fn's own writes. Once a
// transaction has begun, the end of ctx no longer stops it: it only bounds the
// wait for it. None begins for a ctx that has ended: a request whose client is
// gone is not applied behind the one with which that client came back.
//
// If ctx carries a credential (models.WithCredential), it must still be good under
// the user's lock: else the error is of models.Unauthorized, and fn does not run.
//
// The error is fn's own, models.NotFound if the user is gone, a DataError if
// the database refuses the data, or models.Unavailable, after which the same
// call may succeed. After the last, whether the transaction was committed is
// not known if the connection broke in the very moment; the idempotency key of
// an operation is what makes its repetition harmless.
//
// A transaction that touches a shared expense needs the rows of all who have it.
// It finds that out under way, and then begins again with their locks too, taken
// in the order of ids: so no two transactions wait for each other.
func (s *Store) Write(ctx context.Context, userID string, fn func(tx *Tx) error) error {
	err := s.write(ctx, userID, fn)
	s.wrote(err)
	return err
}

func (s *Store) write(ctx context.Context, userID string, fn func(tx *Tx) error) error {
	users := []string{userID}
	for run := 1; ; run++ {
		err := s.writeOnce(ctx, userID, users, fn)
		var more *widenError
		if errors.As(err, &more) {
			users, run = more.with(users), run-1
			continue
		}
		var retry *retryError
		if err == nil || !errors.As(err, &retry) || run == maxRuns {
			return err
		}
		s.log.DebugContext(ctx, "transaction runs again", slog.Int("run", run), slog.Any("error", err))
		if err := pause(ctx, run); err != nil {
			return err
		}
	}
}

// pause waits longer with every run, by a random share so that two that ran
// into each other do not do so again.
func pause(ctx context.Context, run int) error {
	longest := firstPause << run
	t := time.NewTimer(firstPause + rand.N(longest))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

// writeOnce runs fn under the locks of users, which are in order and of which
// userID is one.
func (s *Store) writeOnce(ctx context.Context, userID string, users []string, fn func(tx *Tx) error) error {
	if s.line != nil {
		return s.writeTogether(ctx, userID, users, fn)
	}
	return s.writeAlone(ctx, userID, users, fn)
}

// writeAlone is Write on PostgreSQL, where the users' rows are all that writers
// wait for.
func (s *Store) writeAlone(ctx context.Context, userID string, users []string, fn func(tx *Tx) error) error {
	leave, err := s.turns.enterAll(ctx, users)
	if err != nil {
		return err
	}
	defer leave()
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.WriteTimeout)
	defer cancel()
	conn, db, err := s.begin(ctx)
	if err != nil {
		return fail(s.d, err)
	}
	defer conn.Close()
	committed := false
	defer func() {
		if !committed {
			s.rollback(db)
		}
	}()
	if err := s.runLocked(ctx, db, conn, userID, users, fn); err != nil {
		return err
	}
	failpoint.Here(failpoint.BeforeCommit)
	err = fail(s.d, db.Commit().Error)
	committed = err == nil
	return err
}

// begin opens a transaction on a connection that is known, for COPY.
func (s *Store) begin(ctx context.Context) (*sql.Conn, *gorm.DB, error) {
	conn, err := connection(ctx, s.w)
	if err != nil {
		return nil, nil, err
	}
	db := s.w.WithContext(ctx)
	db.Statement.ConnPool = conn
	if db = db.Begin(); db.Error != nil {
		return nil, nil, errors.Join(db.Error, conn.Close())
	}
	return conn, db, nil
}

// writeTogether is Write on SQLite, where writers stand in line. The driver
// starts a goroutine per statement for a context that can end, and cannot hang
// on a network, so there it cannot end.
func (s *Store) writeTogether(ctx context.Context, userID string, users []string, fn func(tx *Tx) error) error {
	g, err := s.line.enter(ctx, true)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		s.line.leave(g)
		return unavailable(err)
	}
	if err := s.takeTurn(context.WithoutCancel(ctx), &g, userID, users, fn); err != nil {
		return err
	}
	<-g.done
	return g.err
}

// takeTurn does one writer's part in g, a new group if it is nil, and leaves.
func (s *Store) takeTurn(ctx context.Context, g **group, userID string, users []string, fn func(tx *Tx) error) (err error) {
	defer func() { s.line.leave(*g) }()
	if *g == nil {
		if *g, err = s.newGroup(ctx); err != nil {
			return err
		}
	}
	return (*g).member(func() error { return s.runLocked(ctx, (*g).db, nil, userID, users, fn) })
}

// rollback ends a transaction that failed; its own errors would hide the first.
// A COMMIT that failed leaves SQLite's only writing connection inside the
// transaction, of which database/sql then knows nothing any more.
func (s *Store) rollback(db *gorm.DB) {
	if db.Rollback().Error != nil && s.line != nil {
		s.w.Exec("ROLLBACK")
	}
}

func (s *Store) runLocked(ctx context.Context, db *gorm.DB, conn *sql.Conn, userID string, users []string, fn func(tx *Tx) error) error {
	tx, err := s.lock(ctx, db, userID, users)
	if err != nil {
		return err
	}
	tx.conn = conn
	if err := tx.authorize(); err != nil {
		return err
	}
	failpoint.Here(failpoint.AfterBegin)
	err = fn(tx)
	if len(tx.wanted) > 0 {
		return &widenError{tx.wanted}
	}
	if err != nil {
		return err
	}
	if err := tx.finish(); err != nil {
		return err
	}
	return s.opts.BeforeCommit()
}

// finish writes what is still buffered.
func (tx *Tx) finish() error {
	for _, t := range tx.txs {
		if err := t.follow(); err != nil {
			return err
		}
	}
	if err := tx.flush(); err != nil {
		return err
	}
	for _, t := range tx.txs {
		if err := t.saveUser(); err != nil {
			return err
		}
	}
	return nil
}

// lock takes the users' rows and makes the transaction that works under them.
func (s *Store) lock(ctx context.Context, db *gorm.DB, userID string, users []string) (*Tx, error) {
	j := newJoint(ctx, s, db, users)
	j.acting = userID
	query, arg := "SELECT "+userColumns+" FROM users WHERE id = ?", any(userID)
	if len(users) > 1 {
		query, arg = "SELECT "+userColumns+" FROM users WHERE "+s.d.in("id")+" ORDER BY id", s.d.list(users)
	}
	err := s.rows(ctx, db, query+s.d.forUpdate(), []any{arg}, func(row scanner) error {
		t := newTx(j)
		err := row.Scan(t.user.dest()...)
		t.before = t.user
		j.txs, j.of[t.user.ID] = append(j.txs, t), t
		j.now = max(j.now, t.user.LastSyncedAt+1)
		return err
	})
	if err == nil && j.of[userID] == nil {
		err = userGone
	}
	return j.of[userID], j.goneFor(noUser(err))
}

const userColumns = "id, name, email, password_hash, created_at, token_generation, seq, log_start, last_synced_at, last_applied_at, " +
	"totals, unread, budgets, received, revocations, expenses, time_zone, currency"

func (r *userRow) dest() []any {
	return []any{
		&r.ID, &r.Name, &r.Email, &r.PasswordHash, &r.CreatedAt, &r.TokenGeneration,
		&r.Seq, &r.LogStart, &r.LastSyncedAt, &r.LastAppliedAt,
		&r.Totals, &r.Unread, &r.Budgets, &r.Received, &r.Revocations, &r.Expenses, &r.TimeZone, &r.Currency,
	}
}

// A Tx is one user's part of a transaction; In gives the parts of others whose
// rows are locked. It is used by one goroutine, inside the function that Write
// called.
type Tx struct {
	*joint

	user, before userRow // now, and when it was locked
	wrote        bool    // something was written, so the user's row has to follow

	operations *overlay[string, models.QueuedOperation]
	keys       *overlay[string, string] // key of an operation to its id; never flushed
	aliases    *overlay[AliasKey, string]
	anyAliases *overlay[string, string] // the newest of any device; never flushed
	tempIDs    map[string]bool          // temporary ids whose aliases are all loaded
	devices    *overlay[string, struct{}]
	posts      *overlay[string, Post] // by expense
	postHashes map[string]bool        // data hashes whose posts are all loaded
	changes    []models.Change
	logged     int // how many of changes are written

	notifications *overlay[string, models.Notification]
	budgets       *overlay[string, models.BudgetState]
	budgetsLoaded bool // all of the user's
	tallies       []tally
	tallied       int // how many of tallies are in daily_totals
	followed      int // how many the budgets know

	preferences *models.NotificationPreferences // once they were read
}

// A joint is what the users' parts of one transaction have in common.
type joint struct {
	ctx  context.Context
	s    *Store
	db   *gorm.DB
	conn *sql.Conn // on PostgreSQL: the one that db is on
	now  int64     // never earlier than before
	read int64     // what the clock showed when the transaction began

	acting string         // the user whose transaction it is
	locked []string       // the ids of the users whose rows were to be locked, in order
	txs    []*Tx          // of those that are there, in order
	of     map[string]*Tx // by user
	wanted []string       // whose rows have to be locked too: the transaction begins again

	journal  journal
	expenses *overlay[string, models.Expense] // whoever's; as their owners see them
	shares   *overlay[string, []models.Share] // by expense; never flushed

	undelivered bool // invitations were made or withdrawn

	// failed is the first statement that failed and was not undone by an
	// Attempt: such a transaction does not commit, whatever fn made of it.
	failed error
}

func newJoint(ctx context.Context, s *Store, db *gorm.DB, users []string) *joint {
	j := &joint{ctx: ctx, s: s, db: db, read: s.opts.Now().UnixMilli(), locked: users, of: make(map[string]*Tx, len(users))}
	j.now = max(j.read, s.began.Load()+1)
	j.expenses = newOverlay[string, models.Expense](&j.journal)
	j.shares = newOverlay[string, []models.Share](&j.journal)
	return j
}

func newTx(in *joint) *Tx {
	tx := &Tx{joint: in, tempIDs: map[string]bool{}, postHashes: map[string]bool{}}
	j := &in.journal
	tx.operations = newOverlay[string, models.QueuedOperation](j)
	tx.keys = newOverlay[string, string](j)
	tx.aliases = newOverlay[AliasKey, string](j)
	tx.anyAliases = newOverlay[string, string](j)
	tx.devices = newOverlay[string, struct{}](j)
	tx.posts = newOverlay[string, Post](j)
	tx.notifications = newOverlay[string, models.Notification](j)
	tx.budgets = newOverlay[string, models.BudgetState](j)
	return tx
}

// User is the user whose row is locked, with all that the transaction did.
func (tx *Tx) User() models.User { return tx.user.user() }

// Before is the user as they were before the transaction.
func (tx *Tx) Before() models.User { return tx.before.user() }

// Now is the moment of this transaction: one for all it does, in UTC, whole
// milliseconds, later than every LastSyncedAt so far of the users whose rows are
// locked. With a clock that was set back it runs ahead of the clock.
func (tx *Tx) Now() time.Time { return fromMillis(tx.now) }

// driven is how far writers in a row may drive Now ahead of the clock, a
// millisecond each, before that was set back.
const driven = time.Second

// Clock is Now for what people read and what is compared with the clocks of their
// devices: it follows a clock that was set back.
func (tx *Tx) Clock() time.Time { return fromMillis(tx.clock()) }

func (tx *Tx) clock() int64 {
	if tx.now-tx.read <= driven.Milliseconds() {
		return tx.now
	}
	return tx.read
}

// Attempt runs fn so that its failure can be survived: on an error (a DataError
// when its writes are flushed included), everything fn did is undone and the
// transaction goes on. Attempts may be nested.
//
// An error after which the transaction cannot go on (a lost connection) fails
// the transaction too, whatever the caller makes of it.
func (tx *Tx) Attempt(fn func() error) error {
	if err := tx.flush(); err != nil {
		return err
	}
	name := fmt.Sprintf("attempt%d", tx.journal.depth)
	if err := tx.exec("SAVEPOINT " + name); err != nil {
		return err
	}
	undo := tx.mark(name)
	kept := false
	defer func() { // also after a panic
		if !kept {
			undo()
		}
	}()
	if err := tx.keep(name, fn); err != nil {
		return err
	}
	kept = true
	tx.journal.depth--
	tx.forget()
	return nil
}

// keep runs fn and keeps what it did.
func (tx *Tx) keep(savepoint string, fn func() error) error {
	if err := fn(); err != nil {
		return err
	}
	if err := tx.flush(); err != nil {
		return err
	}
	return tx.exec("RELEASE SAVEPOINT " + savepoint)
}

// mark begins to remember, and gives what takes everything back to this point.
func (tx *Tx) mark(savepoint string) (undo func()) {
	tx.journal.depth++
	n := len(tx.journal.undo)
	var back []func()
	for _, t := range tx.txs {
		back = append(back, t.snapshot())
	}
	return func() {
		tx.journal.depth--
		tx.journal.back(n)
		for _, restore := range back {
			restore()
		}
		tx.failed = nil
		if tx.exec("ROLLBACK TO SAVEPOINT "+savepoint) == nil {
			_ = tx.exec("RELEASE SAVEPOINT " + savepoint) // exec keeps the error
		}
		tx.forget()
	}
}

// snapshot gives what takes back what the journal does not know of.
func (tx *Tx) snapshot() (restore func()) {
	user, wrote := tx.user, tx.wrote
	changes, tallies, followed := len(tx.changes), len(tx.tallies), tx.followed
	return func() {
		if seededbug.Built && seededbug.Enabled(seededbug.HalfUndo) {
			user.Seq = tx.user.Seq
		}
		tx.user, tx.wrote = user, wrote
		tx.changes, tx.logged = tx.changes[:changes], changes
		tx.tallies, tx.tallied, tx.followed = tx.tallies[:tallies], tallies, followed
	}
}

// forget drops the journal once no attempt is under way.
func (tx *Tx) forget() {
	if tx.journal.depth == 0 {
		tx.journal.undo = nil
	}
}

// exec runs one statement; its error stays with the transaction.
func (tx *Tx) exec(query string, args ...any) error {
	if tx.failed != nil {
		return tx.failed
	}
	_, tx.failed = affected(tx.ctx, tx.s.d, tx.db, query, args)
	return tx.failed
}

// query calls fn with each row; its error stays with the transaction.
func (tx *Tx) query(query string, args []any, fn func(scanner) error) error {
	if tx.failed != nil {
		return tx.failed
	}
	tx.failed = tx.s.rows(tx.ctx, tx.db, query, args, fn)
	return tx.failed
}
