package entries

import (
	"cmp"
	"context"
	"math"
	"slices"

	"expenseflow/internal/store/access"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/record"
	"expenseflow/models"

	"gorm.io/gorm"
)

// The kinds of changes that a history has: of the expense itself, models.ChangeKind.IsExpense,
// and of whom it is shared with.
var (
	expenseKinds = []models.ChangeKind{models.ExpenseCreated, models.ExpenseUpdated, models.ExpenseDeleted}
	shareKinds   = []models.ChangeKind{models.ShareChanged}
	historyKinds = slices.Concat(expenseKinds, shareKinds)
)

// maxBetween is how many changes of the other kinds are looked through for the change of an
// expense, or of its shares, before another one. Beyond them it counts as no longer kept.
const maxBetween = 500

// History returns the changes of an expense in the user's log before a sequence, 0 for all,
// newest first and at most limit. It is read at one moment, and costs what it returns and at
// most maxBetween rows more for each of its two kinds.
//
// The log has what the user had access to at the time, so a history shows nothing else. The
// owner of a deleted expense may read it for as long as the log keeps the deletion. For
// everybody else without access, and for no id, the error is models.NotFound.
func (s Entries) History(ctx context.Context, userID, id string, before int64, limit int) (h models.History, err error) {
	if !models.IsID(id) {
		return h, access.ErrNoExpense
	}
	err = s.db.Snapshot(ctx, func(db *gorm.DB) error {
		v := &snapshot{s, db}
		if h.Expense, err = v.expenseInHistory(userID, id); err != nil {
			return err
		}
		changes, err := v.changesOf(userID, id, before, limit+1) // one more, to see whether the last is the first of all
		if err != nil {
			return err
		}
		h.Next, h.Complete = endOfHistory(changes, limit)
		if h.Entries, err = v.historyEntries(changes, limit); err != nil {
			return err
		}
		return v.nameActors(h.Expense, id, h.Entries)
	})
	return h, err
}

// expenseInHistory returns the expense as the user sees it, nil if it was the user's own and
// is deleted.
func (v *snapshot) expenseInHistory(userID, id string) (*models.Expense, error) {
	query, args := access.VisibleExpenses(userID, " AND e.id = ?", id)
	e, err := find.One[models.Expense](v.db.Raw(query, args...))
	if err == nil {
		e = access.InView(e)
		return &e, nil
	}
	if !find.IsNotFound(err) {
		return nil, err
	}
	last, err := v.changeBefore(userID, id, math.MaxInt64, expenseKinds)
	if err == nil && (last == nil || last.Kind != models.ExpenseDeleted || last.Expense.UserID != userID) {
		err = access.ErrNoExpense
	}
	return nil, err
}

// logOf selects the changes of an expense in the user's log before a sequence, newest first
// and at most limit.
func (v *snapshot) logOf(userID, id string, before int64, limit int) *gorm.DB {
	return v.db.Where("user_id = ? AND entity_id = ? AND seq < ?", userID, id, before).Order("seq DESC").Limit(limit)
}

// changesOf returns the newest changes of a history before a sequence, 0 for all, newest first.
func (v *snapshot) changesOf(userID, id string, before int64, limit int) (changes []models.Change, err error) {
	query := v.logOf(userID, id, cmp.Or(before, math.MaxInt64), limit).Where("kind IN ?", historyKinds)
	err = find.Each(query, func(row record.ChangeRow) error {
		c, err := row.Change()
		changes = append(changes, c)
		return err
	})
	return changes, err
}

// changeBefore returns the newest change of these kinds before a sequence, out of maxBetween
// changes of the expense; nil if none of them is.
func (v *snapshot) changeBefore(userID, id string, before int64, kinds []models.ChangeKind) (last *models.Change, err error) {
	near := v.logOf(userID, id, before, maxBetween).Model(&record.ChangeRow{})
	query := v.db.Table("(?) AS near", near).Where("kind IN ?", kinds).Order("seq DESC").Limit(1)
	err = find.Each(query, func(row record.ChangeRow) error {
		c, err := row.Change()
		last = &c
		return err
	})
	return last, err
}

// historyEntries returns at most limit entries of changes, which are newest first.
func (v *snapshot) historyEntries(changes []models.Change, limit int) ([]models.HistoryEntry, error) {
	entries := make([]models.HistoryEntry, min(len(changes), limit))
	for i := range entries {
		entries[i].Change = changes[i]
	}
	for _, kinds := range [][]models.ChangeKind{expenseKinds, shareKinds} {
		if err := v.setBefore(entries, kinds); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// setBefore sets what was before the entries of some kinds.
func (v *snapshot) setBefore(entries []models.HistoryEntry, kinds []models.ChangeKind) error {
	var later *models.HistoryEntry
	for i := range entries {
		e := &entries[i]
		if !slices.Contains(kinds, e.Change.Kind) {
			continue
		}
		if later != nil {
			later.Before = before(&e.Change)
		}
		later = e
	}
	if later == nil || later.Change.Kind == models.ExpenseCreated {
		return nil
	}
	c := &later.Change
	last, err := v.changeBefore(c.UserID, c.EntityID, c.Seq, kinds)
	later.Before = before(last)
	return err
}

// before returns what was before a change that follows c: nothing if that had ended the
// reader's access.
func before(c *models.Change) *models.Change {
	if c == nil || c.Kind == models.ExpenseDeleted {
		return nil
	}
	return c
}

func endOfHistory(changes []models.Change, limit int) (next int64, complete bool) {
	if len(changes) > limit {
		return changes[limit-1].Seq, false
	}
	return 0, len(changes) > 0 && changes[len(changes)-1].Kind == models.ExpenseCreated
}

// nameActors sets the actors of entries that the reader of an expense may know, and the
// present names of those whom it was shared with: they stand in an owner's log alone.
func (v *snapshot) nameActors(e *models.Expense, id string, entries []models.HistoryEntry) error {
	var ids []string
	for i := range entries {
		ids = append(ids, actorOf(&entries[i].Change))
	}
	query := v.db.Table("users").Select("id, name").Where(v.s.db.In("id", ids))
	if e != nil && e.Role != models.NoRole {
		query = query.Where("id IN (?)", access.AudienceIn(v.db, id))
	}
	people, err := find.All[models.Person](query)
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
	return v.nameMembers(entries)
}

// nameMembers gives shares the present names of their users; of deleted ones "".
func (v *snapshot) nameMembers(entries []models.HistoryEntry) error {
	var shares []*models.Share
	for i := range entries {
		for _, c := range []*models.Change{&entries[i].Change, entries[i].Before} {
			for j := 0; c != nil && j < len(c.Shares); j++ {
				shares = append(shares, &c.Shares[j])
			}
		}
	}
	ids := find.Mapped(shares, func(s *models.Share) string { return s.UserID })
	people, err := find.All[models.Person](v.db.Table("users").Select("id, name").Where(v.s.db.In("id", ids)))
	if err != nil {
		return err
	}
	names := make(map[string]string, len(people))
	for _, p := range people {
		names[p.ID] = p.Name
	}
	for _, s := range shares {
		s.Name = names[s.UserID]
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
