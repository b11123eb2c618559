package store

import (
	"context"

	"expenseflow/models"
)

// expenseKinds are the kinds of models.ChangeKind.IsExpense.
var expenseKinds = []models.ChangeKind{models.ExpenseCreated, models.ExpenseUpdated, models.ExpenseDeleted}

// History returns the changes of an expense in the user's log before a sequence, 0 for all,
// newest first and at most limit. It is read at one moment and costs what it returns.
//
// The log has what the user had access to at the time, so a history shows nothing else. The
// owner of a deleted expense may read it for as long as the log keeps the deletion. For
// everybody else without access, and for no id, the error is models.NotFound.
func (s *Store) History(ctx context.Context, userID, id string, before int64, limit int) (h models.History, err error) {
	if !models.IsID(id) {
		return h, errNoExpense
	}
	err = s.snapshot(ctx, func(v *snapshot) error {
		if h.Expense, err = v.expenseInHistory(userID, id); err != nil {
			return err
		}
		changes, err := v.changesOf(userID, id, before, limit+1) // one more, for what the last was before
		if err != nil {
			return err
		}
		h.Entries = historyEntries(changes, limit)
		h.Next, h.Complete = endOfHistory(changes, limit)
		return v.nameActors(h.Expense, id, h.Entries)
	})
	return h, err
}

// expenseInHistory returns the expense as the user sees it, nil if it was the user's own and
// is deleted.
func (v *snapshot) expenseInHistory(userID, id string) (*models.Expense, error) {
	query, args := visibleExpenses(userID, " AND e.id = ?", id)
	e, err := one[models.Expense](v.db.Raw(query, args...))
	if err == nil {
		e = inView(e)
		return &e, nil
	}
	if !isNotFound(err) {
		return nil, err
	}
	last, err := v.changesOf(userID, id, 0, 1)
	if err == nil && (len(last) == 0 || last[0].Kind != models.ExpenseDeleted || last[0].Expense.UserID != userID) {
		err = errNoExpense
	}
	return nil, err
}

// changesOf returns the newest changes of an expense in the user's log before a sequence,
// 0 for all, newest first.
func (v *snapshot) changesOf(userID, id string, before int64, limit int) (changes []models.Change, err error) {
	query := v.db.Where("user_id = ? AND entity_id = ?", userID, id).Where("kind IN ?", expenseKinds).Order("seq DESC").Limit(limit)
	if before > 0 {
		query = query.Where("seq < ?", before)
	}
	err = each(query, func(row changeRow) error {
		c, err := row.change()
		changes = append(changes, c)
		return err
	})
	return changes, err
}

// historyEntries returns at most limit entries of changes, which are newest first.
func historyEntries(changes []models.Change, limit int) []models.HistoryEntry {
	entries := make([]models.HistoryEntry, min(len(changes), limit))
	for i := range entries {
		entries[i].Change = changes[i]
		if i+1 < len(changes) && changes[i+1].Kind != models.ExpenseDeleted {
			entries[i].Before = &changes[i+1].Expense
		}
	}
	return entries
}

func endOfHistory(changes []models.Change, limit int) (next int64, complete bool) {
	if len(changes) > limit {
		return changes[limit-1].Seq, false
	}
	return 0, len(changes) > 0 && changes[len(changes)-1].Kind == models.ExpenseCreated
}

// nameActors sets the actors of entries that the reader of an expense may know.
func (v *snapshot) nameActors(e *models.Expense, id string, entries []models.HistoryEntry) error {
	var ids []string
	for i := range entries {
		ids = append(ids, actorOf(&entries[i].Change))
	}
	query := v.db.Table("users").Select("id, name").Where(v.s.d.In("id", ids))
	if e != nil && e.Role != models.NoRole {
		query = query.Where("id IN (?)", audience(v.db, id))
	}
	people, err := find[models.Person](query)
	if err != nil {
		return err
	}
	named := make(map[string]*models.Person, len(people))
	for i := range people {
		named[people[i].ID] = &people[i]
	}
	for i := range entries {
		entries[i].Actor = named[actorOf(&entries[i].Change)]
	}
	return nil
}

// actorOf returns the id of who made a change, "" if it is not known. A change that was
// stored before its actor was kept has an author in the log of the acting user alone.
func actorOf(c *models.Change) string {
	if c.ActorID == "" && c.Author != (models.Author{}) {
		return c.UserID
	}
	return c.ActorID
}
