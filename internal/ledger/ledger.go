// Package ledger implements the business rules: one function per change of expenses,
// budgets, goals, notifications, shares and accounts. HTTP, sockets and the offline queue
// all call it.
//
// What it promises:
//
//   - A change, its version, its entry in the user's log and its idempotency record are
//     written in one transaction. Events are read from the log, so a change that was
//     rolled back is never announced.
//   - If a client sends the version that it read and a newer one is stored, nothing
//     changes (docs/contract.md#versions). Without a version, the change is applied.
//   - An absent expense and another user's cause the same error, so ids cannot be
//     probed. So do an unknown address and a wrong password, with the same response time.
//   - Permissions for shared expenses (models.Role) are checked here, under the locks of
//     all users who have the expense. A change of it is in the logs of all of them or of
//     none.
//   - A budget that rises to a higher level is alerted once, in the transaction that
//     raised it (see applyConsequences).
//   - What comes from elsewhere comes in through Import and ImportAccount: repeatable, and
//     never over what is newer.
//   - A temporary id that a device assigned to an offline expense works wherever an
//     expense's id does (docs/contract.md#d14).
package ledger

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"expenseflow/internal/store"
	"expenseflow/models"
)

// A Ledger changes what users own. Its methods may be called concurrently.
type Ledger struct {
	store *store.Store
	wake  func(userID string)
	opts  Options

	alerts        atomic.Int64  // of budgets, since the start
	maxReceived   int64         // waiting invitations per user; models.MaxPendingInvitations
	deliverSignal chan struct{} // signals that a commit added invitations to deliver
}

// Options are the limits and optional notifications of a Ledger. The zero value has no
// limits and no optional notifications.
type Options struct {
	// MaxExpenses is the maximum number of a user's own expenses; 0 is no limit.
	MaxExpenses int64

	// LowBalance is the balance below which a user is notified, each time that the
	// balance falls below it; nil disables it.
	LowBalance *models.Money

	// NotifyExpenses adds a notification for each transaction that changes expenses.
	NotifyExpenses bool

	// NotifyBalance adds a notification for each transaction that changes the balance,
	// unless it caused a notification of a low balance.
	NotifyBalance bool

	// NotifyPeople notifies users of what others do: invite them, share an expense with them,
	// comment on or change an expense that both have.
	NotifyPeople bool

	// OnActivity is called after the commit of each comment and each update of an expense.
	// It must not block; it may be nil.
	OnActivity func(models.Activity)

	// OnAccessLost is called after the commit, and before the request is answered, with each
	// change by which a user lost access to an expense: it was deleted or is no longer
	// shared. Followers of the log receive the same change a little later. It must not
	// block; it may be nil.
	OnAccessLost func(c *models.Change)
}

// New returns a Ledger on s. wake is called after each commit with the ID of every user
// whose log may have grown. It must not block; it may be nil.
func New(s *store.Store, wake func(userID string), o Options) *Ledger {
	if wake == nil {
		wake = func(string) {}
	}
	return &Ledger{store: s, wake: wake, opts: o, maxReceived: models.MaxPendingInvitations, deliverSignal: make(chan struct{}, 1)}
}

// NewID returns a new id in the form of a MongoDB ObjectID: 24 hex digits that increase
// with time.
func NewID() string { return bson.NewObjectID().Hex() }

// Write runs fn in a transaction of the user, applies the consequences of its changes
// for all users concerned (see applyConsequences), and after the commit wakes the
// followers of their logs. fn may run more than once, so it must reset its results at
// the start. Errors are those of fn and of store.Write.
func (l *Ledger) Write(ctx context.Context, userID string, fn func(w *Work) error) error {
	return l.write(ctx, userID, fn, l.applyConsequences)
}

// write is Write with other consequences, which are called for each user concerned.
func (l *Ledger) write(ctx context.Context, userID string, fn, consequences func(w *Work) error) error {
	var done *store.Tx
	err := l.store.Write(ctx, userID, func(tx *store.Tx) error {
		done = tx
		if err := fn(l.newWork(tx)); err != nil {
			return err
		}
		for _, t := range tx.Each() {
			if err := consequences(&Work{Tx: t}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		l.wake(userID)
		l.notifyOthers(userID, done)
		l.wakeDelivery(done)
	}
	return err
}

func (l *Ledger) newWork(tx *store.Tx) *Work {
	return &Work{Tx: tx, maxExpenses: l.opts.MaxExpenses, maxReceived: l.maxReceived, notifyPeople: l.opts.NotifyPeople}
}

func (l *Ledger) wakeDelivery(tx *store.Tx) {
	if !tx.Undelivered() {
		return
	}
	select {
	case l.deliverSignal <- struct{}{}:
	default:
	}
}

// notifyOthers wakes the logs of the other users that the transaction changed, and calls the
// hooks of Options.
func (l *Ledger) notifyOthers(userID string, tx *store.Tx) {
	for _, t := range tx.Each() {
		changes := t.Appended()
		if id := t.User().ID; id != userID && len(changes) > 0 {
			l.wake(id)
		} else if id == userID {
			l.publishUpdates(t, changes)
		}
		for i := range changes {
			l.publishChange(&changes[i])
		}
	}
}

// publishChange counts a change, or calls the hook of Options that wants it.
func (l *Ledger) publishChange(c *models.Change) {
	switch {
	case c.Kind == models.BudgetAlerted:
		l.alerts.Add(1)
	case c.Kind == models.ExpenseDeleted && l.opts.OnAccessLost != nil:
		l.opts.OnAccessLost(c)
	}
}

// Alerts returns how many alerts of budgets this process has sent.
func (l *Ledger) Alerts() int64 { return l.alerts.Load() }

// publishUpdates calls Options.OnActivity for each expense that the user updated.
func (l *Ledger) publishUpdates(t *store.Tx, changes []models.Change) {
	u := t.User()
	for i := range changes {
		c := &changes[i]
		if l.opts.OnActivity != nil && c.Kind == models.ExpenseUpdated {
			l.opts.OnActivity(models.Activity{
				ExpenseID: c.EntityID, UserID: u.ID, UserName: u.Name, Type: models.ActivityUpdated, At: c.At,
				Audience: t.AudienceOf(c.EntityID),
			})
		}
	}
}

// CheckLimits returns why a user, as they are given, cannot have another expense in this currency:
// the errors of Work.Create that are not of the expense itself.
func (l *Ledger) CheckLimits(u models.User, currency string) error {
	return checkLimits(u, l.opts.MaxExpenses, currency)
}

// An ExpenseCreation is a request to create an expense.
type ExpenseCreation struct {
	Draft  models.Draft
	Author models.Author
	Date   *time.Time // used if the draft has no date; nil is now

	// RequestID and ClientID are idempotency keys that the client chose, "" if absent.
	// RequestID is unique per user (the header Idempotency-Key), ClientID per device. A
	// creation with both is looked up by RequestID and stored under both. A repetition
	// with the same data returns the expense of the first request and changes nothing.
	RequestID, ClientID string

	// Posted marks an HTTP request. If its response is lost, the device also queues the
	// expense (docs/contract.md#d17).
	Posted bool
}

// CreateExpense stores a new expense. Errors: *models.InvalidError, models.Conflict with
// CodeKeyReused or the code of a limit, and those of store.Write.
func (l *Ledger) CreateExpense(ctx context.Context, userID string, c ExpenseCreation) (models.Expense, error) {
	var e models.Expense
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		e, _, err = w.CreateOnce(c)
		return err
	})
	if err != nil {
		return models.Expense{}, fmt.Errorf("create expense: %w", err)
	}
	return e, nil
}

// UpdateExpense changes the fields of p. id may be a temporary id of the author's device,
// or of any device of the user if the author has no DeviceID. seen is the version that
// the client last read, nil to overwrite any. If a newer version is stored, nothing
// changes and the error is a *models.ConflictError with the stored expense. Other
// errors: *models.InvalidError, models.NotFound, models.Forbidden for a viewer, and those
// of store.Write.
func (l *Ledger) UpdateExpense(
	ctx context.Context, userID, id string, seen *int64, p models.Patch, by models.Author,
) (models.Expense, error) {
	var e models.Expense
	err := l.Write(ctx, userID, func(w *Work) error {
		target, err := w.Resolve(id, by.DeviceID)
		if err != nil {
			return err
		}
		e, err = w.Update(target, seen, p, by)
		return err
	})
	if err != nil {
		return models.Expense{}, fmt.Errorf("update expense: %w", err)
	}
	return e, nil
}

// DeleteExpense removes an expense and returns its last state. id is as for
// UpdateExpense. Errors: models.NotFound, also if it was deleted before,
// models.Forbidden for a user who is not the owner, and those of store.Write.
func (l *Ledger) DeleteExpense(ctx context.Context, userID, id string, by models.Author) (models.Expense, error) {
	var e models.Expense
	err := l.Write(ctx, userID, func(w *Work) error {
		target, err := w.Resolve(id, by.DeviceID)
		if err != nil {
			return err
		}
		e, err = w.Delete(target, by)
		return err
	})
	if err != nil {
		return models.Expense{}, fmt.Errorf("delete expense: %w", err)
	}
	return e, nil
}
