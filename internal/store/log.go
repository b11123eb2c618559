package store

import (
	"context"
	"fmt"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/record"
	"expenseflow/models"
)

// A changeRow is one entry of a user's log.
type changeRow struct {
	UserID   string `gorm:"primaryKey;index:changes_entity,priority:1"`
	Seq      int64  `gorm:"primaryKey;index:changes_entity,priority:3"`
	Kind     models.ChangeKind
	EntityID string    `gorm:"index:changes_entity,priority:2"`
	Payload  string    // the record of the entity after the change
	DeviceID string    `gorm:"serializer:clientText"`
	TokenID  string    `gorm:"serializer:clientText"`
	At       time.Time `gorm:"serializer:millis"`
	ActorID  string    // as in models.Change
}

func (changeRow) TableName() string { return "changes" }

func newChangeRow(c *models.Change) changeRow {
	row := changeRow{c.UserID, c.Seq, c.Kind, c.EntityID, "", c.Author.DeviceID, c.Author.TokenID, c.At, c.ActorID}
	if c.Kind == models.BudgetAlerted {
		row.Payload = record.Encode(newAlertRecord(c.Alert))
	} else if entity := entityOf(c); entity != nil {
		row.Payload = record.Encode(entity)
	}
	return row
}

func (r *changeRow) change() (models.Change, error) {
	c := models.Change{
		UserID: r.UserID, Seq: r.Seq, Kind: r.Kind, EntityID: r.EntityID, At: r.At,
		Author: models.Author{DeviceID: r.DeviceID, TokenID: r.TokenID}, ActorID: r.ActorID,
	}
	if err := r.decode(&c); err != nil {
		return c, fmt.Errorf("change %d of user %s: %w", r.Seq, r.UserID, err)
	}
	return c, nil
}

// decode sets c's entity. Of a kind that a newer program wrote there is none.
func (r *changeRow) decode(c *models.Change) error {
	if c.Kind == models.BudgetAlerted {
		var a alertRecord
		err := record.Decode([]byte(r.Payload), &a)
		c.Alert = a.alert()
		return err
	}
	entity := entityOf(c)
	if entity == nil {
		return nil
	}
	if err := record.Decode([]byte(r.Payload), entity); err != nil {
		return err
	}
	nameEntity(c)
	return nil
}

// entityOf returns where a change of its kind holds its entity; nil if it has none.
func entityOf(c *models.Change) any {
	switch c.Kind {
	case models.ExpenseCreated, models.ExpenseUpdated, models.ExpenseDeleted:
		return &c.Expense
	case models.ShareChanged:
		return &c.Shares
	case models.InvitationReceived:
		return &c.Invitation
	case models.PersonBlocked, models.PersonUnblocked:
		return &c.Person
	case models.SettingsChanged:
		return &c.Settings
	case models.BudgetCreated, models.BudgetUpdated, models.BudgetDeleted:
		return &c.Budget
	case models.NotificationCreated:
		return &c.Notification
	}
	return nil
}

// nameEntity sets what the record of an entity leaves to its change.
func nameEntity(c *models.Change) {
	for i := range c.Shares {
		c.Shares[i].ExpenseID = c.EntityID
	}
	if c.Invitation != nil {
		c.Invitation.ID, c.Invitation.State = c.EntityID, models.InvitationPending
	}
	if c.Person != nil {
		c.Person.ID = c.EntityID
	}
}

// An alertRecord is what the log keeps of a models.BudgetAlert.
type alertRecord struct {
	Budget      models.Budget `log:"budget"`
	From        time.Time     `log:"from"` // this and To: midnight UTC of a day
	To          time.Time     `log:"to"`
	Currency    string        `log:"currency,omitempty"` // "": older than currencies
	SpentUnits  int64         `log:"units"`
	SpentMicros int64         `log:"micros"`
	Level       models.Level  `log:"level"`
}

func newAlertRecord(a *models.BudgetAlert) alertRecord {
	s := &a.State
	return alertRecord{s.Budget, s.From.Time(), s.To.Time(), s.Currency, s.Spent.Units, s.Spent.Micros, s.Level}
}

// alert returns the alert; a budget that alerts is active.
func (r *alertRecord) alert() *models.BudgetAlert {
	return &models.BudgetAlert{State: models.BudgetState{
		Budget: r.Budget, From: models.DayOf(r.From, time.UTC), To: models.DayOf(r.To, time.UTC), Currency: r.Currency,
		Spent: models.Sum{Units: r.SpentUnits, Micros: r.SpentMicros}, Level: r.Level, Active: true,
	}}
}

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
	err := find.Each(page, func(row changeRow) error {
		c, err := row.change()
		changes = append(changes, c)
		return err
	})
	if err == nil && (len(changes) == 0 || changes[0].Seq != after+1) {
		err = s.checkKept(ctx, userID, after)
	}
	if err == nil {
		err = s.retract(ctx, userID, changes)
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
		Epoch: row.Epoch, EpochStart: parseMoment(row.Began), Start: row.LogStart, Head: row.Seq,
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
		row, err := find.One[changeRow](s.db.Read(ctx).Select("at").Where("user_id = ? AND seq = ?", userID, middle))
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
