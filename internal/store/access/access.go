// Package access says who may see an expense: its owner and the users with whom it is shared.
//
// It has the tables of shares and of invitations to shares, and the one query of what a user
// sees (VisibleExpenses). Whoever may not see an expense gets the error that there is none
// (ErrNoExpense), so ids cannot be probed.
package access

import (
	"context"
	"time"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
)

// Access reads who may see the expenses of a database.
type Access struct{ db *database.DB }

// New returns the access to a database's expenses.
func New(db *database.DB) Access { return Access{db} }

// ErrNoExpense is the error, all alike, for an expense that does not exist, is not or no longer
// the user's, and for what is no id.
var ErrNoExpense error = models.E(models.NotFound, "Expense not found")

// A ShareRow has models.NoRole for a user who had a right once: so operations that their
// devices queued meanwhile differ from those on an expense that never was theirs.
type ShareRow struct {
	models.Share
	UpdatedAt time.Time `gorm:"serializer:millis"`
}

// TableName implements GORM's Tabler.
func (ShareRow) TableName() string { return "shares" }

// VisibleExpenses selects what a user has, own expenses and those that others share with
// them, all in the user's view (InView). more is a further condition on
// expenses, "e", with parameters args. A user with whom nothing is shared pays a
// look into an index. It is written by hand: GORM has no UNION.
func VisibleExpenses(userID, more string, args ...any) (query string, params []any) {
	params = append([]any{userID}, args...)
	return ownExpenses + more + " UNION ALL " + receivedExpenses + more, append(params, params...)
}

// The halves of VisibleExpenses.
var (
	ExpenseColumns = rows.Of(models.Expense{}).NamesOf("e")

	ownExpenses = "SELECT " + ExpenseColumns + ", '' AS role, '' AS shared_by FROM expenses e WHERE e.user_id = ?"

	receivedExpenses = "SELECT " + ExpenseColumns + ", s.role, u.name AS shared_by FROM shares s " +
		"JOIN expenses e ON e.id = s.expense_id JOIN users u ON u.id = e.user_id WHERE s.user_id = ? AND s.role <> ''"

	NewestFirst = " ORDER BY date DESC, id DESC"
)

// InView takes out of an expense of another user what is its owner's business.
func InView(e models.Expense) models.Expense {
	if e.Role != models.NoRole {
		e.Shares, e.HasDependents = 0, false
	}
	return e
}

// A Standing is whose an expense is, and the role of a user in it.
type Standing struct {
	UserID, Name string // the owner's
	Role         models.Role
	Seq          int64 // the head of the user's log
}

// StandingOf selects a user's standing towards an expense, none if there is no such expense.
func StandingOf(db *gorm.DB, userID, id string, more string, args ...any) *gorm.DB {
	role := "COALESCE((SELECT role FROM shares WHERE expense_id = e.id AND user_id = ?), '') AS role"
	return db.Table("expenses e").Select("e.user_id, "+role+more, append([]any{userID}, args...)...).Where("e.id = ?", id)
}

// RoleOf is what the user may do with the expense; the error is models.NotFound for nothing.
func (st Standing) RoleOf(userID string) (models.Role, error) {
	switch {
	case st.UserID == userID:
		return models.RoleOwner, nil
	case st.Role == models.NoRole:
		return models.NoRole, ErrNoExpense
	}
	return st.Role, nil
}

// AudienceIn selects the users who have an expense, its owner first. GORM has no UNION.
func AudienceIn(db *gorm.DB, id string) *gorm.DB {
	const query = "SELECT user_id FROM expenses WHERE id = ? " +
		"UNION ALL SELECT user_id FROM shares WHERE expense_id = ? AND role <> ''"
	return db.Raw(query, id, id)
}

// Audience returns the users who have an expense, its owner first; none if there is no such
// expense.
func (a Access) Audience(ctx context.Context, id string) (userIDs []string, err error) {
	return find.All[string](AudienceIn(a.db.Read(ctx), id))
}

// RightTo returns what a user may do with an expense; models.NotFound if they may
// nothing, there is none, or it is no id.
func (a Access) RightTo(ctx context.Context, userID, id string) (r models.Right, err error) {
	if !models.IsID(id) {
		return r, ErrNoExpense
	}
	// One statement, which sees one moment: the role and the log agree.
	st, err := find.One[Standing](StandingOf(a.db.Read(ctx), userID, id, ", (SELECT seq FROM users WHERE id = ?) AS seq", userID))
	switch {
	case find.IsNotFound(err):
		return r, ErrNoExpense
	case err != nil:
		return r, err
	}
	r.Seq = st.Seq
	r.Role, err = st.RoleOf(userID)
	return r, err
}

// Sharing returns who has an expense, as the user sees it: the addresses of the others
// are the owner's business. models.NotFound as for RightTo.
func (a Access) Sharing(ctx context.Context, userID, id string) (sh models.Sharing, err error) {
	if !models.IsID(id) {
		return sh, ErrNoExpense
	}
	err = a.db.Snapshot(ctx, func(session *gorm.DB) error {
		st, err := find.One[Standing](StandingOf(session, userID, id, ", u.name").Joins("JOIN users u ON u.id = e.user_id"))
		if err != nil && !find.IsNotFound(err) {
			return err
		}
		sh = models.Sharing{OwnerID: st.UserID, OwnerName: st.Name}
		if sh.Role, err = st.RoleOf(userID); err != nil {
			return err
		}
		if sh.Shares, err = sharesOf(session, id, sh.Role == models.RoleOwner); err != nil || sh.Role != models.RoleOwner {
			return err
		}
		sh.Invited, err = invitationsTo(session, id)
		return err
	})
	return sh, err
}

func sharesOf(session *gorm.DB, id string, withEmails bool) ([]models.Share, error) {
	columns := "s.expense_id, s.user_id, s.role, s.created_at, u.name"
	if withEmails {
		columns += ", u.email"
	}
	return find.All[models.Share](session.Table("shares s").Select(columns).Joins("JOIN users u ON u.id = s.user_id").
		Where("s.expense_id = ? AND s.role <> ''", id).Order("s.created_at, s.user_id"))
}
