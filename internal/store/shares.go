package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
)

// Locking: a share changes only under the locks of the expense's owner and of the user who
// gets or loses it; the expense itself only under the locks of all who have it. So a
// transaction that holds a user's lock reads reliably which expenses the user has, and with
// whom the user shares own ones. Anything else about a shared expense is reliable once all
// who have it are locked.

// A shareRow has models.NoRole for a user who had a right once: so operations that their
// devices queued meanwhile differ from those on an expense that never was theirs.
type shareRow struct {
	models.Share
	UpdatedAt time.Time `gorm:"serializer:millis"`
}

func (shareRow) TableName() string { return "shares" }

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
	return errNoExpense
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
		return e, tx.run(tx.orm().Where("expense_id = ? AND user_id = ?", e.ID, userID).Delete(&shareRow{}))
	}
	row := shareRow{models.Share{ExpenseID: e.ID, UserID: userID, Role: role, CreatedAt: tx.Now()}, tx.Now()}
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
	if err := tx.run(tx.orm().Where("expense_id = ?", expenseID).Delete(&shareRow{})); err != nil {
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

// A standing is whose an expense is, and the role of a user in it.
type standing struct {
	UserID, Name string // the owner's
	Role         models.Role
	Seq          int64 // the head of the user's log
}

// standingOf selects a user's standing towards an expense, none if there is no such expense.
func standingOf(db *gorm.DB, userID, id string, more string, args ...any) *gorm.DB {
	role := "COALESCE((SELECT role FROM shares WHERE expense_id = e.id AND user_id = ?), '') AS role"
	return db.Table("expenses e").Select("e.user_id, "+role+more, append([]any{userID}, args...)...).Where("e.id = ?", id)
}

// role is what the user may do with the expense; the error is models.NotFound for nothing.
func (st standing) role(userID string) (models.Role, error) {
	switch {
	case st.UserID == userID:
		return models.RoleOwner, nil
	case st.Role == models.NoRole:
		return models.NoRole, errNoExpense
	}
	return st.Role, nil
}

// RoleOf returns what the user may do with an expense; models.NotFound if they may
// nothing. The user's own lock is all that it needs.
func (tx *Tx) RoleOf(id string) (models.Role, error) {
	if !models.IsID(id) {
		return models.NoRole, errNoExpense
	}
	st, _, err := oneIn[standing](tx, standingOf(tx.orm(), tx.user.ID, id, ""))
	if err != nil {
		return models.NoRole, err
	}
	return st.role(tx.user.ID)
}

// audience selects the users who have an expense, its owner first. GORM has no UNION.
func audience(db *gorm.DB, id string) *gorm.DB {
	const query = "SELECT user_id FROM expenses WHERE id = ? " +
		"UNION ALL SELECT user_id FROM shares WHERE expense_id = ? AND role <> ''"
	return db.Raw(query, id, id)
}

// Audience returns the users who have an expense, its owner first; none if there is no such
// expense.
func (tx *Tx) Audience(id string) (userIDs []string, err error) {
	return findIn[string](tx, audience(tx.orm(), id))
}

// Audience returns the users who have an expense, its owner first; none if there is no such
// expense.
func (s *Store) Audience(ctx context.Context, id string) (userIDs []string, err error) {
	return find.All[string](audience(s.db.Read(ctx), id))
}

// AudienceOf is Audience of an expense that the transaction has changed.
func (tx *Tx) AudienceOf(id string) []string {
	e, _, _ := tx.expenses.Get(id)
	return append([]string{e.UserID}, tx.members(id)...)
}

// RightTo returns what a user may do with an expense; models.NotFound if they may
// nothing, there is none, or it is no id.
func (s *Store) RightTo(ctx context.Context, userID, id string) (r models.Right, err error) {
	if !models.IsID(id) {
		return r, errNoExpense
	}
	// One statement, which sees one moment: the role and the log agree.
	st, err := find.One[standing](standingOf(s.db.Read(ctx), userID, id, ", (SELECT seq FROM users WHERE id = ?) AS seq", userID))
	switch {
	case find.IsNotFound(err):
		return r, errNoExpense
	case err != nil:
		return r, err
	}
	r.Seq = st.Seq
	r.Role, err = st.role(userID)
	return r, err
}

// Sharing returns who has an expense, as the user sees it: the addresses of the others
// are the owner's business. models.NotFound as for RightTo.
func (s *Store) Sharing(ctx context.Context, userID, id string) (sh models.Sharing, err error) {
	if !models.IsID(id) {
		return sh, errNoExpense
	}
	err = s.snapshot(ctx, func(v *snapshot) error {
		st, err := find.One[standing](standingOf(v.db, userID, id, ", u.name").Joins("JOIN users u ON u.id = e.user_id"))
		if err != nil && !find.IsNotFound(err) {
			return err
		}
		sh = models.Sharing{OwnerID: st.UserID, OwnerName: st.Name}
		if sh.Role, err = st.role(userID); err != nil {
			return err
		}
		if sh.Shares, err = v.sharesOf(id, sh.Role == models.RoleOwner); err != nil || sh.Role != models.RoleOwner {
			return err
		}
		sh.Invited, err = invitationsTo(v.db, id)
		return err
	})
	return sh, err
}

func (v *snapshot) sharesOf(id string, withEmails bool) ([]models.Share, error) {
	columns := "s.expense_id, s.user_id, s.role, s.created_at, u.name"
	if withEmails {
		columns += ", u.email"
	}
	return find.All[models.Share](v.db.Table("shares s").Select(columns).Joins("JOIN users u ON u.id = s.user_id").
		Where("s.expense_id = ? AND s.role <> ''", id).Order("s.created_at, s.user_id"))
}

// shown returns those of ids, other users' expenses, that the user has today.
func (s *Store) shown(ctx context.Context, userID string, ids []string) (map[string]bool, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := find.All[models.Share](s.db.Read(ctx).Where("user_id = ? AND role <> ''", userID).
		Where(s.db.In("expense_id", ids)))
	shown := make(map[string]bool, len(ids))
	for _, s := range found {
		shown[s.ExpenseID] = true
	}
	return shown, err
}

// retract takes out of a log what its user has no right to any more.
func (s *Store) retract(ctx context.Context, userID string, changes []models.Change) error {
	var ids []string
	for i := range changes {
		if changes[i].Expense.Role != models.NoRole {
			ids = append(ids, changes[i].EntityID)
		}
	}
	shown, err := s.shown(ctx, userID, ids)
	for i := range changes {
		if c := &changes[i]; c.Expense.Role != models.NoRole && !shown[c.EntityID] {
			c.Kind, c.Expense, c.Author, c.ActorID = models.ExpenseRetracted, models.Expense{}, models.Author{}, ""
		}
	}
	return err
}

// redact takes out of stored operations what their user has no right to any more.
func (s *Store) redact(ctx context.Context, userID string, ops []models.QueuedOperation) error {
	var ids []string
	for i := range ops {
		for _, e := range ops[i].Result.SharedExpenses() {
			ids = append(ids, (*e).ID)
		}
	}
	shown, err := s.shown(ctx, userID, ids)
	for i := range ops {
		for _, e := range ops[i].Result.SharedExpenses() {
			if !shown[(*e).ID] {
				*e = nil
			}
		}
	}
	return err
}
