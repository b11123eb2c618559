package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/pipeline"
	"expenseflow/internal/store/rows"
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
// gone is not applied after the client's retry.
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
	defer s.observe(Writing, time.Now())
	err := s.writeRepeatedly(ctx, userID, fn)
	s.wrote(err)
	return err
}

func (s *Store) writeRepeatedly(ctx context.Context, userID string, fn func(tx *Tx) error) error {
	users := []string{userID}
	for run := 1; ; run++ {
		err := s.writeOnce(ctx, userID, users, fn)
		var more *needsLocksError
		if errors.As(err, &more) {
			users, run = more.with(users), run-1
			continue
		}
		var retry *dialect.RetryError
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
		return dialect.Unavailable(ctx.Err())
	}
}

// writeOnce runs fn under the locks of users, which are in order and of which
// userID is one.
func (s *Store) writeOnce(ctx context.Context, userID string, users []string, fn func(tx *Tx) error) error {
	if s.db.OnSQLite() {
		return s.writeQueued(ctx, userID, users, fn)
	}
	return s.writeConcurrently(ctx, userID, users, fn)
}

// writeConcurrently is Write on PostgreSQL, where the users' rows are all that writers
// wait for. Writers of one user wait for each other before they take a connection:
// their transactions are serial anyway, and a busy user would else hold every
// connection of the pool while only one of them works.
func (s *Store) writeConcurrently(ctx context.Context, userID string, users []string, fn func(tx *Tx) error) error {
	unlock, err := s.userLocks.LockAll(ctx, users)
	if err != nil {
		return dialect.Unavailable(err)
	}
	defer unlock()
	if err := ctx.Err(); err != nil {
		return dialect.Unavailable(err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.WriteTimeout)
	defer cancel()
	if u, ok := models.TakeReadCaller(ctx, userID); ok && len(users) == 1 {
		if done, err := s.writeUnlocked(ctx, u, fn); done {
			return err
		}
	}
	conn, err := database.Connection(ctx, s.db.Writer)
	if err != nil {
		return s.db.Fail(err)
	}
	defer conn.Close()
	return s.writeOn(ctx, conn, userID, users, fn)
}

// writeOn is one transaction on a connection. Its statements travel in two batches: BEGIN with
// the locks, and what was buffered with COMMIT (roundtrip.go).
func (s *Store) writeOn(ctx context.Context, conn *sql.Conn, userID string, users []string, fn func(tx *Tx) error) error {
	db := s.db.Writer.WithContext(ctx)
	db.Statement.ConnPool = database.WritingConn{Conn: conn}
	st := newTxState(ctx, s, db, userID, users)
	st.conn = conn
	committed := false
	defer func() {
		if !committed {
			_, _ = conn.ExecContext(ctx, "ROLLBACK") // a connection that is still in a transaction leaves the pool
		}
	}()
	if err := st.runLocked(fn); err != nil {
		return err
	}
	err := st.commit()
	committed = err == nil
	return err
}

// writeQueued is Write on SQLite, where writers share its one writing connection. The driver
// starts a goroutine per statement for a context that can end, and cannot hang
// on a network, so there it cannot end.
func (s *Store) writeQueued(ctx context.Context, userID string, users []string, fn func(tx *Tx) error) error {
	began := false
	err := s.db.Queue.Write(ctx, func(conn pipeline.Connection) error {
		began = true
		c := conn.(*sqliteConnection)
		st := newTxState(context.WithoutCancel(ctx), s, c.db, userID, users)
		err := st.runLocked(fn)
		if err == nil {
			c.moved = append(c.moved, st.movedUsers()...)
		}
		return err
	})
	if !began {
		return s.db.Fail(err)
	}
	return err
}

// A sqliteConnection is SQLite's one writing connection inside a transaction.
type sqliteConnection struct {
	s     *Store
	db    *gorm.DB
	moved []string // the users whose logs are
}

// Begin implements pipeline.Connection.
func (c *sqliteConnection) Begin(ctx context.Context) error {
	c.db = c.s.db.Writer.WithContext(ctx).Begin()
	return c.db.Error
}

// Exec implements pipeline.Connection. It is for savepoints: what makes one fail passes.
func (c *sqliteConnection) Exec(statement string) error {
	if err := c.db.Exec(statement).Error; err != nil {
		return dialect.Unavailable(err)
	}
	return nil
}

// Commit implements pipeline.Connection. The moves are noted after it, and whatever its error:
// a reader that was told too much compares in vain.
func (c *sqliteConnection) Commit() error {
	defer func() { c.s.NoteMoves(c.moved) }()
	return c.db.Commit().Error
}

// Rollback implements pipeline.Connection.
func (c *sqliteConnection) Rollback() { c.s.rollback(c.db) }

// rollback ends a transaction that failed; its own errors would hide the first.
// A COMMIT that failed leaves SQLite's only writing connection inside the
// transaction, of which database/sql then knows nothing any more.
func (s *Store) rollback(db *gorm.DB) {
	if db.Session(&gorm.Session{NewDB: true}).Rollback().Error != nil && s.db.OnSQLite() {
		s.db.Writer.Exec("ROLLBACK")
	}
}

// runLocked runs fn under the locks of the transaction's users and writes what it buffered.
func (st *txState) runLocked(fn func(tx *Tx) error) error {
	tx, err := st.call(fn, st.lockUsers)
	if err != nil {
		return err
	}
	return tx.finish()
}

// call calls fn with the transaction of the users that the query selects.
func (st *txState) call(fn func(tx *Tx) error, users usersQuery) (*Tx, error) {
	tx, err := st.use(users)
	if err != nil {
		return nil, err
	}
	if err := tx.authorize(); err != nil {
		return nil, err
	}
	err = fn(tx)
	if len(tx.wanted) > 0 {
		return nil, &needsLocksError{tx.wanted}
	}
	return tx, err
}

// finish writes what is still buffered; on PostgreSQL commit does.
func (tx *Tx) finish() error {
	for _, t := range tx.txs {
		if err := t.updateBudgets(); err != nil {
			return err
		}
	}
	if err := tx.gather(); err != nil {
		return err
	}
	for _, t := range tx.txs {
		if err := t.saveUser(); err != nil {
			return err
		}
	}
	return nil
}

// lockUsers locks the transaction's users in the order of their ids and calls fn with each. On
// PostgreSQL the transaction begins with it.
func (st *txState) lockUsers(fn func(models.User) error) error {
	switch {
	case st.unlocked != nil:
		return fn(*st.unlocked)
	case st.conn != nil:
		return st.beginLocking(fn)
	case len(st.locked) == 1:
		return find.Each(st.db.Raw(selectUser+"id = ?", st.acting), fn)
	}
	return find.Each(st.db.Raw(selectUser+"? ORDER BY id", st.s.db.In("id", st.locked)), fn)
}

var selectUser = "SELECT " + rows.Of(models.User{}).Names() + " FROM users WHERE "

// A usersQuery calls fn with each of the users of a transaction, in the order of their ids.
type usersQuery func(fn func(models.User) error) error

// use reads the users' rows, which the query may lock, and makes the transaction that works with them.
func (st *txState) use(users usersQuery) (*Tx, error) {
	err := users(func(u models.User) error {
		t := newTx(st, u)
		st.txs, st.of[u.ID] = append(st.txs, t), t
		st.moment = max(st.moment, u.SyncedAt.UnixMilli()+1)
		return nil
	})
	if err == nil && st.of[st.acting] == nil {
		err = find.ErrUserGone
	}
	return st.of[st.acting], goneFor(st.ctx, st.acting, find.NoUser(err))
}
