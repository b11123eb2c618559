package store

import (
	"context"
	"slices"
	"strings"

	"expenseflow/models"
)

// Who has a shared expense changes only under the locks of its owner and of
// whoever gets or loses it; the expense itself only under those of all who have
// it. So under their own lock users know what they have, and an owner knows with
// whom; everything else is known once all of them are locked.

type shareRow struct {
	ExpenseID string `gorm:"primaryKey;index:shares_user,priority:2"`
	UserID    string `gorm:"primaryKey;index:shares_user,priority:1"`
	Role      string
	CreatedAt int64
	UpdatedAt int64
}

func (shareRow) TableName() string { return "shares" }

// A widenError says that a transaction needs the rows of more users.
type widenError struct{ users []string }

func (e *widenError) Error() string {
	return "the rows of more users are to be locked: " + strings.Join(e.users, ", ")
}

// Unwrap makes it trouble that passes, for those it comes through.
func (e *widenError) Unwrap() error { return unavailable(nil) }

// with gives users and those that are needed, in order.
func (e *widenError) with(users []string) []string {
	all := slices.Concat(users, e.users)
	slices.Sort(all)
	return slices.Compact(all)
}

// Lock makes sure that the rows of users are locked. If they are not, its error
// is to be returned: the transaction begins again with them.
func (tx *Tx) Lock(users ...string) error {
	missing := slices.DeleteFunc(slices.Clone(users), func(id string) bool {
		_, found := slices.BinarySearch(tx.locked, id)
		return found
	})
	if len(missing) == 0 {
		return tx.failed
	}
	tx.wanted = append(tx.wanted, missing...)
	return &widenError{missing}
}

// In is the transaction's part that is of another user, whose row is locked; nil
// if that user is gone.
func (tx *Tx) In(userID string) *Tx { return tx.of[userID] }

// Each is the transaction's parts of all users whose rows are locked.
func (tx *Tx) Each() []*Tx { return tx.txs }

// loadShares reads who has those of ids that are not plainly the user's own, and
// sees to it that the rows of all who have one that the user has too are locked.
func (tx *Tx) loadShares(ids []string) error {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		e, exists, _ := tx.expenses.get(id)
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
		if e, exists, _ := tx.expenses.get(id); exists && tx.entitled(&e) == nil {
			users = append(append(users, e.UserID), tx.members(id)...)
		}
	}
	return tx.Lock(users...)
}

func (tx *Tx) readShares(ids []string) error {
	all := make(map[string][]models.Share, len(ids))
	query := "SELECT expense_id, user_id, role, created_at FROM shares WHERE " + tx.s.d.in("expense_id") + " ORDER BY created_at, user_id"
	err := tx.query(query, []any{tx.s.d.list(ids)}, func(row scanner) error {
		s, err := scanShare(row)
		all[s.ExpenseID] = append(all[s.ExpenseID], s)
		return err
	})
	for _, id := range ids {
		tx.shares.load(id, all[id], true)
	}
	return err
}

func scanShare(row scanner, more ...any) (models.Share, error) {
	var s models.Share
	var created int64
	err := row.Scan(append([]any{&s.ExpenseID, &s.UserID, &s.Role, &created}, more...)...)
	s.CreatedAt = fromMillis(created)
	return s, err
}

// entitled is nil if the user has an expense, which is loaded. Whoever had it once
// is told what a stranger is told, and what everybody is when it is gone.
func (tx *Tx) entitled(e *models.Expense) error {
	if e.UserID == tx.user.ID || slices.Contains(tx.members(e.ID), tx.user.ID) {
		return nil
	}
	return errNoExpense
}

// members are the ids of those with whom an expense is shared.
func (tx *Tx) members(expenseID string) (ids []string) {
	shares, _, _ := tx.shares.get(expenseID)
	for _, s := range shares {
		if s.Role != models.NoRole {
			ids = append(ids, s.UserID)
		}
	}
	return ids
}

// View is an expense as the user sees it, who has it.
func (tx *Tx) View(e models.Expense) models.Expense {
	e.Role, e.SharedBy = models.NoRole, ""
	if e.UserID == tx.user.ID {
		if stored, exists, _ := tx.expenses.get(e.ID); exists { // e may be of a member's view
			e.Shares, e.Traces = stored.Shares, stored.Traces
		}
		return e
	}
	shares, _, _ := tx.shares.get(e.ID)
	for _, s := range shares {
		if s.UserID == tx.user.ID {
			e.Role = s.Role
		}
	}
	if owner := tx.of[e.UserID]; owner != nil {
		e.SharedBy = owner.user.Name
	}
	e.Shares, e.Traces = 0, false
	return e
}

// Members are the transaction's parts of those with whom an expense is shared,
// which Expense gave.
func (tx *Tx) Members(e models.Expense) (members []*Tx) {
	for _, id := range tx.members(e.ID) {
		if t := tx.of[id]; t != nil {
			members = append(members, t)
		}
	}
	return members
}

// Shares is with whom an expense is shared, which Expense gave; oldest first.
func (tx *Tx) Shares(e models.Expense) []models.Share {
	shares := []models.Share{}
	all, _, _ := tx.shares.get(e.ID)
	for _, s := range all {
		if t := tx.of[s.UserID]; t != nil && s.Role != models.NoRole {
			s.Name, s.Email = t.user.Name, t.user.Email
			shares = append(shares, s)
		}
	}
	return shares
}

// SetShare gives a user, whose row is locked, a role in an expense that Expense
// gave, or takes it away (NoRole), and gives the expense as its owner sees it
// then. It counts as stored anew, though not as changed: so whoever gets it finds
// it by LastSyncedAt.
func (tx *Tx) SetShare(e models.Expense, userID string, role models.Role) (models.Expense, error) {
	all, _, _ := tx.shares.get(e.ID)
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
	tx.shares.put(e.ID, all, false)
	e = tx.touchShared(e.ID)
	if role == models.NoRole {
		return e, tx.exec("DELETE FROM shares WHERE expense_id = ? AND user_id = ?", e.ID, userID)
	}
	return e, tx.exec(saveShare, e.ID, userID, string(role), tx.now, tx.now)
}

const saveShare = "INSERT INTO shares (expense_id, user_id, role, created_at, updated_at) VALUES (?, ?, ?, ?, ?) " +
	"ON CONFLICT (expense_id, user_id) DO UPDATE SET role = excluded.role, updated_at = excluded.updated_at"

// touchShared writes how many have the expense, and has it count as stored now by
// all of them.
func (tx *Tx) touchShared(id string) models.Expense {
	e, _, _ := tx.expenses.get(id)
	e.Shares, e.Traces, e.LastSyncedAt = int64(len(tx.members(id))), true, tx.Now()
	tx.expenses.put(id, e, true)
	for _, t := range append(tx.Members(e), tx.of[e.UserID]) {
		t.wrote = true
	}
	return e
}

// dropTraces removes what other tables hold of an expense. Who had it, this
// transaction still knows.
func (tx *Tx) dropTraces(expenseID string) error {
	if err := tx.exec("DELETE FROM shares WHERE expense_id = ?", expenseID); err != nil {
		return err
	}
	if err := tx.withdrawAll(expenseID); err != nil {
		return err
	}
	return tx.exec("DELETE FROM activities WHERE expense_id = ?", expenseID)
}

// part takes the user out of everything that is shared, before they are removed.
func (tx *Tx) part() error {
	var ids []string
	query := "SELECT id FROM expenses WHERE user_id = ? AND shares > 0 UNION SELECT expense_id FROM shares WHERE user_id = ? AND role <> ''"
	err := tx.query(query, []any{tx.user.ID, tx.user.ID}, func(row scanner) error {
		var id string
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err == nil {
		err = tx.loadExpenses(ids)
	}
	for _, id := range ids {
		if err == nil {
			err = tx.partWith(id)
		}
	}
	if err != nil {
		return err
	}
	return tx.flush()
}

func (tx *Tx) partWith(id string) error {
	e, err := tx.Expense(id)
	if err != nil {
		return err
	}
	if e.Role == models.NoRole {
		for _, t := range tx.Members(e) {
			t.AppendChange(models.ExpenseDeleted, models.Expense{ID: id}, models.Author{})
		}
		return tx.dropTraces(id)
	}
	if e, err = tx.SetShare(e, tx.user.ID, models.NoRole); err == nil {
		tx.of[e.UserID].Append(models.Change{Kind: models.ShareChanged, EntityID: id, Shares: tx.Shares(e)})
	}
	return err
}

// roleOf selects the owner of an expense and the role of a user, "" for none.
const roleOf = "SELECT user_id, COALESCE((SELECT role FROM shares WHERE expense_id = expenses.id AND user_id = ?), '') AS role FROM expenses WHERE id = ?"

// roleIn turns what roleOf gave into a role; the error is models.NotFound for none.
func roleIn(userID, owner, role string) (models.Role, error) {
	switch {
	case owner == userID:
		return models.RoleOwner, nil
	case role == "":
		return models.NoRole, errNoExpense
	}
	return models.Role(role), nil
}

// RoleOf is what the user may do with an expense; models.NotFound if they may
// nothing. The user's own lock is all that it needs.
func (tx *Tx) RoleOf(id string) (models.Role, error) {
	if !models.ID24(id) {
		return models.NoRole, errNoExpense
	}
	var owner, role string
	err := tx.query(roleOf, []any{tx.user.ID, id}, func(row scanner) error { return row.Scan(&owner, &role) })
	if err != nil {
		return models.NoRole, err
	}
	return roleIn(tx.user.ID, owner, role)
}

// Audience is the users who have an expense, its owner first; none if there is no such
// expense.
func (tx *Tx) Audience(id string) (userIDs []string, err error) {
	err = tx.query(audienceOf, []any{id, id}, func(row scanner) error { return appendID(&userIDs, row) })
	return userIDs, err
}

// Audience is the users who have an expense, its owner first; none if there is no such
// expense.
func (s *Store) Audience(ctx context.Context, id string) (userIDs []string, err error) {
	err = s.rows(ctx, s.r, audienceOf, []any{id, id}, func(row scanner) error { return appendID(&userIDs, row) })
	return userIDs, err
}

const audienceOf = "SELECT user_id FROM expenses WHERE id = ? UNION ALL SELECT user_id FROM shares WHERE expense_id = ? AND role <> ''"

func appendID(ids *[]string, row scanner) error {
	var id string
	err := row.Scan(&id)
	*ids = append(*ids, id)
	return err
}

// AudienceOf is Audience of an expense that the transaction has changed.
func (tx *Tx) AudienceOf(id string) []string {
	e, _, _ := tx.expenses.get(id)
	return append([]string{e.UserID}, tx.members(id)...)
}

// RightTo is what a user may do with an expense; models.NotFound if they may
// nothing, there is none, or it is no id.
func (s *Store) RightTo(ctx context.Context, userID, id string) (r models.Right, err error) {
	if !models.ID24(id) {
		return r, errNoExpense
	}
	var owner, role string
	// One statement, which sees one moment: the role and the log agree.
	query := "SELECT r.*, (SELECT seq FROM users WHERE id = ?) FROM (" + roleOf + ") r"
	switch err := s.one(ctx, s.r, query, []any{userID, userID, id}, &owner, &role, &r.Seq); {
	case models.KindOf(err) == models.NotFound:
		return r, errNoExpense
	case err != nil:
		return r, err
	}
	r.Role, err = roleIn(userID, owner, role)
	return r, err
}

// Sharing is who has an expense, as the user sees it: the addresses of the others
// are the owner's business. models.NotFound as for RightTo.
func (s *Store) Sharing(ctx context.Context, userID, id string) (sh models.Sharing, err error) {
	if !models.ID24(id) {
		return sh, errNoExpense
	}
	err = s.glance(ctx, func(g *glance) error {
		sh = models.Sharing{Shares: []models.Share{}}
		var role string
		query := "SELECT u.id, u.name, COALESCE((SELECT role FROM shares WHERE expense_id = e.id AND user_id = ?), '') " +
			"FROM expenses e JOIN users u ON u.id = e.user_id WHERE e.id = ?"
		err := g.rows(query, []any{userID, id}, func(row scanner) error { return row.Scan(&sh.OwnerID, &sh.OwnerName, &role) })
		if err != nil {
			return err
		}
		if sh.Role, err = roleIn(userID, sh.OwnerID, role); err != nil {
			return err
		}
		if err := g.sharesOf(id, &sh); err != nil || sh.Role != models.RoleOwner {
			return err
		}
		return g.invitationsOf(id, &sh)
	})
	return sh, err
}

func (g *glance) sharesOf(id string, sh *models.Sharing) error {
	query := "SELECT s.expense_id, s.user_id, s.role, s.created_at, u.name, u.email FROM shares s JOIN users u ON u.id = s.user_id " +
		"WHERE s.expense_id = ? AND s.role <> '' ORDER BY s.created_at, s.user_id"
	return g.rows(query, []any{id}, func(row scanner) error {
		var name, email string
		s, err := scanShare(row, &name, &email)
		s.Name = name
		if sh.Role == models.RoleOwner {
			s.Email = email
		}
		sh.Shares = append(sh.Shares, s)
		return err
	})
}

// shown are those of ids, other users' expenses, that the user has today.
func (s *Store) shown(ctx context.Context, userID string, ids []string) (map[string]bool, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	shown := make(map[string]bool, len(ids))
	query := "SELECT expense_id FROM shares WHERE user_id = ? AND role <> '' AND " + s.d.in("expense_id")
	err := s.rows(ctx, s.r, query, []any{userID, s.d.list(ids)}, func(row scanner) error {
		var id string
		err := row.Scan(&id)
		shown[id] = true
		return err
	})
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
			c.Kind, c.Expense, c.Author = models.ExpenseRetracted, models.Expense{}, models.Author{}
		}
	}
	return err
}

// redact takes out of stored operations what their user has no right to any more.
func (s *Store) redact(ctx context.Context, userID string, ops []models.QueuedOperation) error {
	var ids []string
	for i := range ops {
		for _, e := range ops[i].Result.Foreign() {
			ids = append(ids, (*e).ID)
		}
	}
	shown, err := s.shown(ctx, userID, ids)
	for i := range ops {
		for _, e := range ops[i].Result.Foreign() {
			if !shown[(*e).ID] {
				*e = nil
			}
		}
	}
	return err
}

type activityRow struct {
	ID        string `gorm:"primaryKey;index:activities_list,priority:3"`
	ExpenseID string `gorm:"index:activities_list,priority:1"`
	UserID    string `gorm:"index:activities_user"`
	Type      string
	Text      string
	CreatedAt int64 `gorm:"index:activities_list,priority:2"`
}

func (activityRow) TableName() string { return "activities" }

var activityTable = &table{name: "activities", key: "id", columns: []column{
	{"id", text}, {"expense_id", text}, {"user_id", text}, {"type", text}, {"text", text}, {"created_at", integer},
}}

// InsertActivity keeps what the user did around an expense in which RoleOf gave
// them this role.
func (tx *Tx) InsertActivity(a models.Activity, role models.Role) error {
	err := save(tx, activityTable, []models.Activity{a}, "", func(a models.Activity) []any {
		return []any{a.ID, a.ExpenseID, a.UserID, a.Type, a.Text, a.At.UnixMilli()}
	})
	if err != nil || role != models.RoleOwner { // what is shared has traces already
		return err
	}
	return tx.exec("UPDATE expenses SET traces = 1 WHERE id = ? AND traces = 0", a.ExpenseID)
}

// CommentsFull reports whether an expense has so many activities, or the user has so
// many around all expenses.
func (tx *Tx) CommentsFull(expenseID string, ofExpense, ofUser int) (full bool, err error) {
	for _, of := range []struct {
		column, id string
		most       int
	}{{"expense_id", expenseID, ofExpense}, {"user_id", tx.user.ID, ofUser}} {
		n := 0
		query := "SELECT COUNT(*) FROM (SELECT 1 FROM activities WHERE " + of.column + " = ? LIMIT ?) a"
		if err := tx.query(query, []any{of.id, of.most}, func(row scanner) error { return row.Scan(&n) }); err != nil {
			return false, err
		}
		full = full || n >= of.most
	}
	return full, nil
}

// Activities is one page of what was said and done around an expense, newest
// first, from page 1, and how much there is in all. Whether the reader may is the
// business of RightTo.
func (s *Store) Activities(ctx context.Context, expenseID string, page, limit int) ([]models.Activity, int64, error) {
	var total int64
	if err := s.one(ctx, s.r, "SELECT COUNT(*) FROM activities WHERE expense_id = ?", []any{expenseID}, &total); err != nil {
		return nil, 0, err
	}
	found := []models.Activity{}
	offset := (int64(page) - 1) * int64(limit)
	if offset < 0 || offset >= total {
		return found, total, nil
	}
	query := "SELECT a.id, a.expense_id, a.user_id, u.name, a.type, a.text, a.created_at FROM activities a JOIN users u ON u.id = a.user_id " +
		"WHERE a.expense_id = ? ORDER BY a.created_at DESC, a.id DESC LIMIT ? OFFSET ?"
	err := s.rows(ctx, s.r, query, []any{expenseID, limit, offset}, func(row scanner) error {
		var a models.Activity
		var at int64
		err := row.Scan(&a.ID, &a.ExpenseID, &a.UserID, &a.UserName, &a.Type, &a.Text, &at)
		a.At = fromMillis(at)
		found = append(found, a)
		return err
	})
	return found, total, err
}
