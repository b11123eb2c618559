package store

import (
	"context"
	"time"

	"expenseflow/internal/store/access"
	"expenseflow/internal/store/epoch"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/record"
	"expenseflow/models"
)

// AppendChange adds a change of an expense to the user's log, as Append does.
func (tx *Tx) AppendChange(kind models.ChangeKind, e models.Expense, by models.Author) {
	tx.Append(models.Change{Kind: kind, EntityID: e.ID, Expense: e, Author: by})
}

// Append adds to the user's log; the change gets the next sequence and the
// transaction's moment. What the acting user's device is called, and by which token
// it acts, stands in that user's log alone. Who changed an expense, or its shares, stands in all of them.
func (tx *Tx) Append(c models.Change) {
	if tx.user.ID != tx.acting {
		c.Author = models.Author{}
	}
	if c.Kind.IsExpense() || c.Kind == models.ShareChanged {
		c.ActorID = tx.acting
	}
	tx.user.Seq++
	c.UserID, c.Seq, c.At = tx.user.ID, tx.user.Seq, tx.Now()
	tx.changes = append(tx.changes, c)
}

// Appended returns what the transaction has added to the log, in order.
func (tx *Tx) Appended() []models.Change { return tx.changes }

// ErrLogPruned says that the log does not go back that far any more.
var ErrLogPruned = models.E(models.NotFound, "These changes are no longer kept")

// Changes returns the entries of the user's log after a sequence, at most limit, in
// order. What the user has no right to any more is not in them (models.
// ExpenseRetracted). ErrLogPruned if the first of them is no longer kept.
func (s *Store) Changes(ctx context.Context, userID string, after int64, limit int) ([]models.Change, error) {
	var changes []models.Change
	page := s.db.Read(ctx).Where("user_id = ? AND seq > ?", userID, after).Order("seq").Limit(limit)
	err := find.Each(page, func(row record.ChangeRow) error {
		c, err := row.Change()
		changes = append(changes, c)
		return err
	})
	if err == nil && (len(changes) == 0 || changes[0].Seq != after+1) {
		err = s.checkKept(ctx, userID, after)
	}
	if err == nil {
		err = access.Retract(ctx, s.db, userID, changes)
	}
	if err != nil {
		return nil, err
	}
	return changes, nil
}

// checkKept returns ErrLogPruned if the log does not hold what follows a sequence.
func (s *Store) checkKept(ctx context.Context, userID string, after int64) error {
	u, err := find.OfUser[models.User](s.db.Read(ctx), userID, "log_start")
	if err == nil && after < u.LogStart {
		return ErrLogPruned
	}
	return err
}

// LogState returns where the user's log stands; models.NotFound if the user is gone.
func (s *Store) LogState(ctx context.Context, userID string) (models.LogState, error) {
	type logRow struct {
		Epoch, Began  string
		LogStart, Seq int64
		LastSyncedAt  time.Time `gorm:"serializer:millis"`
	}
	row, err := find.OfUser[logRow](s.db.Read(ctx), userID, "(SELECT value FROM meta WHERE key = 'epoch') AS epoch, "+
		"COALESCE((SELECT value FROM meta WHERE key = 'epoch_began'), '') AS began, log_start, seq, last_synced_at")
	l := models.LogState{
		Epoch: row.Epoch, EpochStart: epoch.ParseMoment(row.Began), Start: row.LogStart, Head: row.Seq,
		SyncedAt: row.LastSyncedAt, ReadAt: s.opts.Now(),
	}
	if l.SyncedAt.Before(l.EpochStart) {
		l.SyncedAt = l.EpochStart
	}
	return l, err
}

// SeqAt returns the newest sequence of the user's log at a moment, false if the log
// holds nothing as old as that. Moments grow with sequences, so it looks at a few
// changes only, however many there are.
func (s *Store) SeqAt(ctx context.Context, userID string, at time.Time) (seq int64, ok bool, err error) {
	u, err := find.OfUser[models.User](s.db.Read(ctx), userID, "log_start, seq")
	if err != nil {
		return 0, false, err
	}
	start, before, after := u.LogStart, u.LogStart, u.Seq+1 // invariant: before <= wanted < after
	for after-before > 1 {
		middle := before + (after-before)/2
		row, err := find.One[record.ChangeRow](s.db.Read(ctx).Select("at").Where("user_id = ? AND seq = ?", userID, middle))
		switch {
		case find.IsNotFound(err): // pruned meanwhile
			before, start = middle, middle
		case err != nil:
			return 0, false, err
		case !row.At.After(at):
			before = middle
		default:
			after = middle
		}
	}
	return before, before > start, nil
}

// Head returns the sequence of the newest change in the user's log, 0 for none;
// models.NotFound if the user is gone.
func (s *Store) Head(ctx context.Context, userID string) (int64, error) {
	u, err := find.OfUser[models.User](s.db.Read(ctx), userID, "seq")
	return u.Seq, err
}

// Heads returns the heads of many users at once; users that are gone are missing.
func (s *Store) Heads(ctx context.Context, userIDs []string) (map[string]int64, error) {
	found, err := find.All[models.User](s.db.Read(ctx).Select("id, seq").Where(s.db.In("id", userIDs)))
	heads := make(map[string]int64, len(found))
	for _, u := range found {
		heads[u.ID] = u.Seq
	}
	return heads, err
}
