package store

import (
	"context"
	"errors"

	"expenseflow/models"
)

// A transaction on PostgreSQL whose caller's row was read by the same request, when its token
// was looked up, begins without the lock. If it needs nothing but that row and what it
// buffers, all of it is one statement: the row is updated if its version is the one that was
// read, and everything else is written if it was. So whatever the transaction decided by the
// row, the caller's right included, is true at the moment of the commit, as under the lock.
// In any other case nothing has happened, and it begins again with the lock.

// errStrayed ends an unlocked transaction that needs the lock. No caller of Write gets it.
var errStrayed = errors.New("this transaction needs its lock")

// stray ends an unlocked transaction.
func (st *txState) stray() error {
	st.strayed = true
	if st.failed == nil {
		st.failed = errStrayed
	}
	return st.failed
}

// writeUnlocked runs fn without a lock. done is false if nothing has happened, and the
// transaction has to begin again with it.
func (s *Store) writeUnlocked(ctx context.Context, u models.User, fn func(tx *Tx) error) (done bool, err error) {
	st := newTxState(ctx, s, s.db.Writer.WithContext(ctx), u.ID, []string{u.ID})
	st.unlocked = &u
	err = st.runLocked(fn)
	if st.strayed {
		return false, nil
	}
	if err != nil || len(st.queued) == 0 {
		return true, err
	}
	done, err = st.commitUnlocked()
	return done, err
}

// guard is the condition, in an unlocked transaction, under which its INSERTs insert.
func (st *txState) guard() string {
	if st.unlocked == nil {
		return ""
	}
	return " WHERE EXISTS (SELECT 1 FROM w0)"
}

// commitUnlocked writes what waits. The last statement that waits is the update of the user's
// row: it goes first, for the others depend on it, and no other row is locked before it.
func (st *txState) commitUnlocked() (done bool, err error) {
	waiting := st.takeQueued()
	update := waiting[len(waiting)-1]
	update.args = append(update.args, st.unlocked.RowVersion)
	update.text += unchanged
	all := append([]statement{update}, waiting[:len(waiting)-1]...)
	one := combined(append(all, statement{text: "SELECT count(*) FROM w0"}))
	var updated int64
	err = st.s.db.Writer.Statement.ConnPool.QueryRowContext(st.ctx, one.text, one.args...).Scan(&updated)
	return err != nil || updated > 0, st.s.db.Fail(err)
}
