package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"expenseflow/internal/store/figures"
	"expenseflow/internal/store/operations"
	"expenseflow/internal/store/pipeline"
	"expenseflow/models"

	"gorm.io/gorm"
)

// A Tx is one user's part of a transaction; In returns the parts of others whose
// rows are locked. It is used by one goroutine, inside the function that Write
// called.
type Tx struct {
	*txState

	user, before models.User // now, and when it was locked
	wrote        bool        // something was written, so the user's row has to follow
	deleted      bool        // the user is removed

	operations *pipeline.WriteBuffer[string, operations.Row]
	keys       *pipeline.WriteBuffer[string, string] // key of an operation to its id; never flushed
	aliases    *pipeline.WriteBuffer[AliasKey, alias]
	anyAliases *pipeline.WriteBuffer[string, string] // the newest of any device; never flushed
	tempIDs    map[string]bool                       // temporary ids whose aliases are all loaded
	devices    *pipeline.WriteBuffer[string, device] // by name
	posts      *pipeline.WriteBuffer[string, Post]   // by expense
	postHashes map[string]bool                       // data hashes whose posts are all loaded
	changes    []models.Change
	logged     int // how many of changes are written

	notifications  *pipeline.WriteBuffer[string, models.Notification]
	budgets        *pipeline.WriteBuffer[string, models.BudgetState]
	budgetsLoaded  bool                 // all of the user's
	deltas         []figures.DailyTotal // what the transaction adds to the totals
	writtenTotals  int                  // how many of deltas are written to daily_totals
	writtenBudgets int                  // how many of deltas are counted in the buffered budgets

	preferences *models.NotificationPreferences // once they were read
}

// A txState is what the users' parts of one transaction have in common.
type txState struct {
	ctx  context.Context
	s    *Store
	db   *gorm.DB
	conn *sql.Conn // on PostgreSQL: the one that db is on

	queued []statement // on PostgreSQL: what waits for send or commit

	// unlocked is the acting user, as read before, in a transaction without locks (unlocked.go),
	// and strayed says that it needs more than that and its own buffer.
	unlocked *models.User
	strayed  bool

	moment       int64 // of the transaction (Tx.Now): later than every earlier transaction's of its users
	clockAtStart int64 // what the clock showed when the transaction began

	acting string         // the user whose transaction it is
	locked []string       // the ids of the users whose rows were to be locked, in order
	txs    []*Tx          // of those that are there, in order
	of     map[string]*Tx // by user
	wanted []string       // whose rows have to be locked too: the transaction begins again

	undo     pipeline.UndoLog
	expenses *pipeline.WriteBuffer[string, models.Expense] // whoever's; as their owners see them
	shares   *pipeline.WriteBuffer[string, []models.Share] // by expense; never flushed

	undelivered bool // invitations were made or withdrawn

	// failed is the first statement that failed and was not undone by an
	// Attempt: such a transaction does not commit, whatever fn made of it.
	failed error
}

func newTxState(ctx context.Context, s *Store, db *gorm.DB, userID string, users []string) *txState {
	st := &txState{
		ctx: ctx, s: s, db: db, clockAtStart: s.opts.Now().UnixMilli(),
		acting: userID, locked: users, of: make(map[string]*Tx, len(users)),
	}
	st.moment = max(st.clockAtStart, s.EpochBegan()+1)
	st.expenses = pipeline.NewWriteBuffer[string, models.Expense](&st.undo)
	st.shares = pipeline.NewWriteBuffer[string, []models.Share](&st.undo)
	return st
}

func newTx(st *txState, u models.User) *Tx {
	tx := &Tx{txState: st, user: u, before: u, tempIDs: map[string]bool{}, postHashes: map[string]bool{}}
	tx.operations = pipeline.NewWriteBuffer[string, operations.Row](&st.undo)
	tx.keys = pipeline.NewWriteBuffer[string, string](&st.undo)
	tx.aliases = pipeline.NewWriteBuffer[AliasKey, alias](&st.undo)
	tx.anyAliases = pipeline.NewWriteBuffer[string, string](&st.undo)
	tx.devices = pipeline.NewWriteBuffer[string, device](&st.undo)
	tx.posts = pipeline.NewWriteBuffer[string, Post](&st.undo)
	tx.notifications = pipeline.NewWriteBuffer[string, models.Notification](&st.undo)
	tx.budgets = pipeline.NewWriteBuffer[string, models.BudgetState](&st.undo)
	return tx
}

// User returns the user whose row is locked, with all that the transaction did.
func (tx *Tx) User() models.User { return tx.user }

// Before returns the user as they were before the transaction.
func (tx *Tx) Before() models.User { return tx.before }

// Now returns the moment of this transaction: one for all it does, in UTC, whole
// milliseconds, later than every LastSyncedAt so far of the users whose rows are
// locked. With a clock that was set back it runs ahead of the clock.
func (tx *Tx) Now() time.Time { return time.UnixMilli(tx.moment).UTC() }

// maxAhead is how far writers in a row may drive Now ahead of the clock, a
// millisecond each, before that was set back.
const maxAhead = time.Second

// Clock returns the wall clock, or Now while that is at most maxAhead later. It is for what
// people read and what is compared with the clocks of their devices: it follows a clock that
// was set back, while Now, the transaction's time, only increases.
func (tx *Tx) Clock() time.Time { return time.UnixMilli(tx.clock()).UTC() }

func (tx *Tx) clock() int64 {
	if tx.moment-tx.clockAtStart <= maxAhead.Milliseconds() {
		return tx.moment
	}
	return tx.clockAtStart
}

// A Preload names rows that a transaction is about to read, so that many come
// with one statement. Reading without it is the same, only slower.
type Preload struct {
	ExpenseIDs    []string
	OperationKeys []string
	Aliases       []AliasKey
	PostHashes    []string // Post.DataHash
}

// Preload reads what p names.
func (tx *Tx) Preload(p Preload) error {
	if err := tx.loadAliases(p.Aliases); err != nil {
		return err
	}
	if err := tx.loadExpenses(p.ExpenseIDs); err != nil {
		return err
	}
	if err := tx.loadKeys(p.OperationKeys); err != nil {
		return err
	}
	return tx.loadPosts(p.PostHashes)
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
	name := fmt.Sprintf("attempt%d", tx.undo.Depth())
	if err := tx.exec("SAVEPOINT " + name); err != nil {
		return err
	}
	rollback := tx.mark(name)
	kept := false
	defer func() { // also after a panic
		if !kept {
			rollback()
		}
	}()
	if err := tx.attempt(name, fn); err != nil {
		return err
	}
	kept = true
	tx.undo.Keep()
	return nil
}

// attempt runs fn and releases the savepoint.
func (tx *Tx) attempt(savepoint string, fn func() error) error {
	if err := fn(); err != nil {
		return err
	}
	if err := tx.flush(); err != nil {
		return err
	}
	return tx.exec("RELEASE SAVEPOINT " + savepoint)
}

// mark begins to remember, and returns what takes everything back to this point.
func (tx *Tx) mark(savepoint string) (rollback func()) {
	mark := tx.undo.Begin()
	var back []func()
	for _, t := range tx.txs {
		back = append(back, t.remember())
	}
	return func() {
		tx.queued = nil
		tx.undo.Undo(mark)
		for _, restore := range back {
			restore()
		}
		tx.failed = nil
		if tx.exec("ROLLBACK TO SAVEPOINT "+savepoint) == nil {
			_ = tx.exec("RELEASE SAVEPOINT " + savepoint) // the transaction remembers the error
		}
	}
}

// remember returns what takes back what the undo log does not know of.
func (tx *Tx) remember() (restore func()) {
	user, wrote, deleted, preferences := tx.user, tx.wrote, tx.deleted, tx.preferences
	changes, deltas, budgets := len(tx.changes), len(tx.deltas), tx.writtenBudgets
	return func() {
		tx.user, tx.wrote, tx.deleted, tx.preferences = user, wrote, deleted, preferences
		tx.changes, tx.logged = tx.changes[:changes], changes
		tx.deltas, tx.writtenTotals, tx.writtenBudgets = tx.deltas[:deltas], deltas, budgets
	}
}

// exec runs one statement of the dialect's or of savepoints, which GORM does not build.
func (tx *Tx) exec(query string, args ...any) error { return tx.run(tx.orm().Exec(query, args...)) }
