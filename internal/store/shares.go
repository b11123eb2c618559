package store

import (
	"slices"
	"strings"

	"expenseflow/internal/store/access"
	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/rows"
	"expenseflow/models"
)

// Locking: a share changes only under the locks of the expense's owner and of the user who
// gets or loses it; the expense itself only under the locks of all who have it. So a
// transaction that holds a user's lock reads reliably which expenses the user has, and with
// whom the user shares own ones. Anything else about a shared expense is reliable once all
// who have it are locked.

// A needsLocksError reports that a transaction needs the rows of more users.
type needsLocksError struct{ users []string }

func (e *needsLocksError) Error() string {
	return "the rows of more users have to be locked: " + strings.Join(e.users, ", ")
}

// Unwrap makes it models.Unavailable: it goes away when the transaction runs again.
func (e *needsLocksError) Unwrap() error { return dialect.Unavailable(nil) }

// with returns users and those that are needed, sorted.
func (e *needsLocksError) with(users []string) []string {
	all := slices.Concat(users, e.users)
	slices.Sort(all)
	return slices.Compact(all)
}

// Lock ensures that the rows of users are locked. If they are not, the caller must return
// its error: the transaction runs again with them.
func (tx *Tx) Lock(users ...string) error {
	missing := slices.DeleteFunc(slices.Clone(users), func(id string) bool {
		_, found := slices.BinarySearch(tx.locked, id)
		return found
	})
	if len(missing) == 0 {
		return tx.failed
	}
	tx.wanted = append(tx.wanted, missing...)
	return &needsLocksError{missing}
}

// In returns the transaction's part of another user, whose row is locked; nil if that user
// is gone.
func (tx *Tx) In(userID string) *Tx { return tx.of[userID] }

// Acting returns the transaction's part of the user whose transaction it is; nil if that
// user is gone.
func (tx *Tx) Acting() *Tx { return tx.of[tx.acting] }

// Each returns the transaction's parts of all users whose rows are locked.
func (tx *Tx) Each() []*Tx { return tx.txs }

// loadShares reads who has those of ids that are not plainly the user's own, and
// sees to it that the rows of all who have one that the user has too are locked.
func (tx *Tx) loadShares(ids []string) error {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		e, exists, _ := tx.expenses.Get(id)
		if exists && e.UserID == tx.user.ID {
			return e.Shares == 0
		}
		return tx.user.Received == 0
	})
	if len(ids) == 0 {
		return nil
	}
	if err := tx.readShares(ids); err != nil {
		return err
	}
	var users []string
	for _, id := range ids {
		if e, exists, _ := tx.expenses.Get(id); exists && tx.entitled(&e) == nil {
			users = append(append(users, e.UserID), tx.members(id)...)
		}
	}
	return tx.Lock(users...)
}

func (tx *Tx) readShares(ids []string) error {
	all := make(map[string][]models.Share, len(ids))
	found, err := findIn[models.Share](tx, tx.orm().Where(tx.s.db.In("expense_id", ids)).Order("created_at, user_id"))
	for _, s := range found {
		all[s.ExpenseID] = append(all[s.ExpenseID], s)
	}
	for _, id := range ids {
		tx.shares.Load(id, all[id], true)
	}
	return err
}

// entitled returns nil if the user has an expense, which is loaded. The error for a user who
// had it once is the same as for a stranger, and as for an expense that does not exist.
func (tx *Tx) entitled(e *models.Expense) error {
	if e.UserID == tx.user.ID || slices.Contains(tx.members(e.ID), tx.user.ID) {
		return nil
	}
	return access.ErrNoExpense
}

// members are the ids of those with whom an expense is shared.
func (tx *Tx) members(expenseID string) (ids []string) {
	shares, _, _ := tx.shares.Get(expenseID)
	for _, s := range shares {
		if s.Role != models.NoRole {
			ids = append(ids, s.UserID)
		}
	}
	return ids
}

// View returns an expense in the view of the user, who has it.
func (tx *Tx) View(e models.Expense) models.Expense {
	e.Role, e.SharedBy = models.NoRole, ""
	if e.UserID == tx.user.ID {
		if stored, exists, _ := tx.expenses.Get(e.ID); exists { // e may be of a member's view
			e.Shares, e.HasDependents = stored.Shares, stored.HasDependents
		}
		return e
	}
	shares, _, _ := tx.shares.Get(e.ID)
	for _, s := range shares {
		if s.UserID == tx.user.ID {
			e.Role = s.Role
		}
	}
	if owner := tx.of[e.UserID]; owner != nil {
		e.SharedBy = owner.user.Name
	}
	e.Shares, e.HasDependents = 0, false
	return e
}

// Members returns the transaction's parts of the users with whom an expense, which Expense
// returned, is shared.
func (tx *Tx) Members(e models.Expense) (members []*Tx) {
	for _, id := range tx.members(e.ID) {
		if t := tx.of[id]; t != nil {
			members = append(members, t)
		}
	}
	return members
}

// Shares returns with whom an expense, which Expense returned, is shared, oldest first.
func (tx *Tx) Shares(e models.Expense) []models.Share {
	shares := []models.Share{}
	all, _, _ := tx.shares.Get(e.ID)
	for _, s := range all {
		if t := tx.of[s.UserID]; t != nil && s.Role != models.NoRole {
			s.Name, s.Email = t.user.Name, t.user.Email
			shares = append(shares, s)
		}
	}
	return shares
}

// SetShare gives a user, whose row is locked, a role in an expense that Expense returned, or
// removes it (NoRole). It returns the expense in its owner's new view. LastSyncedAt moves and
// Version does not: so a user who gets the expense finds it by LastSyncedAt.
func (tx *Tx) SetShare(e models.Expense, userID string, role models.Role) (models.Expense, error) {
	all, _, _ := tx.shares.Get(e.ID)
	all = slices.Clone(all)
	i := slices.IndexFunc(all, func(s models.Share) bool { return s.UserID == userID })
	switch {
	case role == models.NoRole:
		all = slices.DeleteFunc(all, func(s models.Share) bool { return s.UserID == userID })
	case i < 0:
		all = append(all, models.Share{ExpenseID: e.ID, UserID: userID, Role: role, CreatedAt: tx.Now()})
		tx.of[userID].user.Received++
	default:
		all[i].Role = role
	}
	tx.shares.Put(e.ID, all, false)
	e = tx.touchShared(e.ID)
	if role == models.NoRole {
		return e, tx.run(tx.orm().Where("expense_id = ? AND user_id = ?", e.ID, userID).Delete(&access.ShareRow{}))
	}
	share := models.Share{ExpenseID: e.ID, UserID: userID, Role: role, CreatedAt: tx.Now()}
	row := access.ShareRow{Share: share, UpdatedAt: tx.Now()}
	return e, tx.run(tx.orm().Clauses(rows.Overwrite(row, "role", "updated_at")).Create(&row))
}

// touchShared writes how many have the expense, and has it count as stored now by
// all of them.
func (tx *Tx) touchShared(id string) models.Expense {
	e, _, _ := tx.expenses.Get(id)
	e.Shares, e.HasDependents, e.LastSyncedAt = int64(len(tx.members(id))), true, tx.Now()
	tx.expenses.Put(id, e, true)
	for _, t := range append(tx.Members(e), tx.of[e.UserID]) {
		t.wrote = true
	}
	return e
}

// deleteDependents removes what other tables hold of an expense. Who had it, this
// transaction still knows.
func (tx *Tx) deleteDependents(expenseID string) error {
	if err := tx.run(tx.orm().Where("expense_id = ?", expenseID).Delete(&access.ShareRow{})); err != nil {
		return err
	}
	if err := tx.withdrawAll(expenseID); err != nil {
		return err
	}
	return tx.run(tx.orm().Where("expense_id = ?", expenseID).Delete(&models.Activity{}))
}

// leaveAllShares takes the user out of everything that is shared, before they are removed.
func (tx *Tx) leaveAllShares() error {
	const query = "SELECT id FROM expenses WHERE user_id = ? AND shares > 0 " +
		"UNION SELECT expense_id FROM shares WHERE user_id = ? AND role <> ''"
	ids, err := findIn[string](tx, tx.orm().Raw(query, tx.user.ID, tx.user.ID)) // GORM has no UNION
	if err == nil {
		err = tx.loadExpenses(ids)
	}
	for _, id := range ids {
		if err == nil {
			err = tx.leaveShare(id)
		}
	}
	if err != nil {
		return err
	}
	return tx.flush()
}

func (tx *Tx) leaveShare(id string) error {
	e, err := tx.Expense(id)
	if err != nil {
		return err
	}
	if e.Role == models.NoRole {
		for _, t := range tx.Members(e) {
			t.AppendChange(models.ExpenseDeleted, models.Expense{ID: id}, models.Author{})
		}
		return tx.deleteDependents(id)
	}
	if e, err = tx.SetShare(e, tx.user.ID, models.NoRole); err == nil {
		tx.of[e.UserID].Append(models.Change{Kind: models.ShareChanged, EntityID: id, Shares: tx.Shares(e)})
	}
	return err
}

// RoleOf returns what the user may do with an expense; models.NotFound if they may
// nothing. The user's own lock is all that it needs.
func (tx *Tx) RoleOf(id string) (models.Role, error) {
	if !models.IsID(id) {
		return models.NoRole, access.ErrNoExpense
	}
	st, _, err := oneIn[access.Standing](tx, access.StandingOf(tx.orm(), tx.user.ID, id, ""))
	if err != nil {
		return models.NoRole, err
	}
	return st.RoleOf(tx.user.ID)
}

// Audience returns the users who have an expense, its owner first; none if there is no such
// expense.
func (tx *Tx) Audience(id string) (userIDs []string, err error) {
	return findIn[string](tx, access.AudienceIn(tx.orm(), id))
}

// AudienceOf is Audience of an expense that the transaction has changed.
func (tx *Tx) AudienceOf(id string) []string {
	e, _, _ := tx.expenses.Get(id)
	return append([]string{e.UserID}, tx.members(id)...)
}
