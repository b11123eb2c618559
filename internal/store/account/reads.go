package account

import (
	"expenseflow/internal/store/access"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/operations"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
)

// User returns the user.
func (v *View) User() models.User { return v.user }

// Preferences returns the user's notification preferences; CreatedAt is zero if none are stored.
func (v *View) Preferences() (p models.NotificationPreferences, err error) {
	err = v.read(func(db *gorm.DB) (_ int, err error) {
		p, err = PreferencesOf(db, v.user.ID)
		return 1, err
	})
	return p, err
}

// Budgets returns the user's budgets, oldest first.
func (v *View) Budgets() (all []models.Budget, err error) {
	err = v.read(func(db *gorm.DB) (int, error) {
		states, err := find.All[models.BudgetState](db.Where("user_id = ?", v.user.ID).Order("created_at, id"))
		all = find.Mapped(states, func(s models.BudgetState) models.Budget { return s.Budget })
		return len(all), err
	})
	return all, err
}

// Goals returns the user's goals, oldest first.
func (v *View) Goals() (all []models.Goal, err error) {
	err = v.read(func(db *gorm.DB) (_ int, err error) {
		all, err = find.All[models.Goal](db.Where("user_id = ?", v.user.ID).Order("created_at, id"))
		return len(all), err
	})
	return all, err
}

// EachExpense calls fn with the user's own expenses, newest first, and with whom each is shared.
func (v *View) EachExpense(fn func(models.Expense, []models.Share) error) error {
	return eachPage(v, v.ownExpenses, olderExpense, func(page []models.Expense) error {
		shares, err := v.sharesOf(page)
		for i := 0; err == nil && i < len(page); i++ {
			err = fn(page[i], shares[page[i].ID])
		}
		return err
	})
}

func (v *View) ownExpenses(db *gorm.DB) *gorm.DB {
	return db.Where("user_id = ?", v.user.ID).Order("date DESC, id DESC")
}

func olderExpense(e *models.Expense) (string, []any) {
	return "(date, id) < (?, ?)", []any{e.Date.UnixMilli(), e.ID}
}

// sharesOf returns with whom those of a page are shared.
func (v *View) sharesOf(page []models.Expense) (map[string][]models.Share, error) {
	var shared []string
	for i := range page {
		if page[i].Shares > 0 {
			shared = append(shared, page[i].ID)
		}
	}
	if len(shared) == 0 {
		return nil, nil
	}
	shares := map[string][]models.Share{}
	return shares, v.read(func(db *gorm.DB) (int, error) {
		found, err := find.All[models.Share](db.Table("shares s").
			Select("s.expense_id, s.user_id, s.role, s.created_at, u.name, u.email").
			Joins("JOIN users u ON u.id = s.user_id").Where(v.db.In("s.expense_id", shared)).Where("s.role <> ''").
			Order("s.created_at, s.user_id"))
		for _, s := range found {
			shares[s.ExpenseID] = append(shares[s.ExpenseID], s)
		}
		return len(found), err
	})
}

// EachReceived calls fn with the expenses that others share with the user, in the user's view.
func (v *View) EachReceived(fn func(models.Expense) error) error {
	query := func(db *gorm.DB) *gorm.DB {
		return db.Table("shares s").Select(access.ExpenseColumns+", s.role, u.name AS shared_by").
			Joins("JOIN expenses e ON e.id = s.expense_id").Joins("JOIN users u ON u.id = e.user_id").
			Where("s.user_id = ? AND s.role <> ''", v.user.ID).Order("s.expense_id")
	}
	after := func(e *models.Expense) (string, []any) { return "s.expense_id > ?", []any{e.ID} }
	return eachRow(v, query, after, func(e models.Expense) error { return fn(access.InView(e)) })
}

// EachComment calls fn with the comments on the user's own expenses, whoever wrote them.
func (v *View) EachComment(fn func(models.Activity) error) error {
	commented := func(db *gorm.DB) *gorm.DB { return v.ownExpenses(db).Where("traces = 1") }
	return eachRow(v, commented, olderExpense, func(e models.Expense) error {
		of := func(db *gorm.DB) *gorm.DB {
			return comments(db).Where("a.expense_id = ?", e.ID).Order("a.created_at, a.id")
		}
		after := func(a *models.Activity) (string, []any) {
			return "(a.created_at, a.id) > (?, ?)", []any{a.At.UnixMilli(), a.ID}
		}
		return eachRow(v, of, after, fn)
	})
}

// EachCommentElsewhere calls fn with the user's comments on expenses of others.
func (v *View) EachCommentElsewhere(fn func(models.Activity) error) error {
	query := func(db *gorm.DB) *gorm.DB {
		return comments(db).Joins("JOIN expenses e ON e.id = a.expense_id").
			Where("a.user_id = ? AND e.user_id <> ?", v.user.ID, v.user.ID).Order("a.id")
	}
	return eachRow(v, query, func(a *models.Activity) (string, []any) { return "a.id > ?", []any{a.ID} }, fn)
}

func comments(db *gorm.DB) *gorm.DB {
	return db.Table("activities a").Select(rows.Of(models.Activity{}).NamesOf("a") + ", u.name AS user_name").
		Joins("JOIN users u ON u.id = a.user_id")
}

// EachNotification calls fn with the user's notifications, oldest first.
func (v *View) EachNotification(fn func(models.Notification) error) error {
	query := func(db *gorm.DB) *gorm.DB { return db.Where("user_id = ?", v.user.ID).Order("created_at, id") }
	return eachRow(v, query, func(n *models.Notification) (string, []any) {
		return "(created_at, id) > (?, ?)", []any{n.CreatedAt.UnixMilli(), n.ID}
	}, fn)
}

// EachParked calls fn with the user's parked operations, oldest first, as operations.Operations.EachParked does.
func (v *View) EachParked(fn func(models.QueuedOperation) error) error {
	var last models.ParkedPlace
	for more := true; more; {
		var page []models.QueuedOperation
		err := v.read(func(db *gorm.DB) (_ int, err error) {
			page, more, err = operations.PageIn(v.ctx, v.db, db, v.user.ID, last, operations.ParkedRows, operations.ParkedBytes)
			return len(page), err
		})
		for i := 0; err == nil && i < len(page); i++ {
			err = fn(page[i])
		}
		if err != nil || len(page) == 0 {
			return err
		}
		last = page[len(page)-1].Place()
	}
	return nil
}
