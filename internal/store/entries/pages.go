package entries

import (
	"context"

	"expenseflow/internal/store/access"
	"expenseflow/internal/store/find"
	"expenseflow/models"
)

// skipsPerRow is how many entries of an index are skipped in the time of one row.
const skipsPerRow = 20

// shallow is how far down in a list a page ends that is read like any other.
const shallow = 1_000

// Expenses is one page of what EachExpense yields, from page 1, and how many there are
// in all. A page far down is a long read; its rows are found in an index alone.
func (s Entries) Expenses(ctx context.Context, userID string, page, limit int) (_ []models.Expense, total int64, err error) {
	n, err := s.expenseCounts(ctx, userID)
	total = n.all()
	offset := (int64(page) - 1) * int64(limit)
	if err != nil || offset < 0 || offset >= total {
		return []models.Expense{}, total, err
	}
	from := s.db.Reader
	if end := offset + int64(limit); end > shallow {
		done, err := s.db.LongRead(ctx, userID)
		if err != nil {
			return nil, 0, err
		}
		defer done(int64(limit) + offset/skipsPerRow)
		from = s.db.Long
	}
	query, args := visiblePage(userID, limit, offset, n.Shared > 0)
	expenses, err := find.All[models.Expense](from.WithContext(ctx).Raw(query, args...))
	return find.Mapped(expenses, access.InView), total, err
}

// visiblePage selects a page of access.VisibleExpenses, newest first. Which rows are on it is
// read from the index that lists are sorted by, each half cut where the page ends; CROSS JOIN
// keeps SQLite's planner from reading the user's expenses to see which are among them. GORM
// builds neither WITH nor UNION.
func visiblePage(userID string, limit int, offset int64, shared bool) (query string, params []any) {
	const first = " ORDER BY e.date DESC, e.id DESC LIMIT ?"
	keys, end := "SELECT e.id AS place FROM expenses e WHERE e.user_id = ?"+first+" OFFSET ?", offset+int64(limit)
	params = []any{userID, limit, offset}
	if shared {
		keys = "SELECT k.id AS place FROM (SELECT * FROM (SELECT e.id, e.date FROM expenses e WHERE e.user_id = ?" + first + ") o " +
			"UNION ALL SELECT * FROM (SELECT e.id, e.date FROM shares s JOIN expenses e ON e.id = s.expense_id " +
			"WHERE s.user_id = ? AND s.role <> ''" + first + ") r) k " +
			"ORDER BY k.date DESC, k.id DESC LIMIT ? OFFSET ?"
		params = []any{userID, end, userID, end, limit, offset}
	}
	query = "WITH page AS MATERIALIZED (" + keys + ") SELECT " + access.ExpenseColumns +
		", '' AS role, '' AS shared_by FROM page p CROSS JOIN expenses e WHERE e.id = p.place AND e.user_id = ?"
	params = append(params, userID)
	if shared {
		query += " UNION ALL SELECT " + access.ExpenseColumns + ", s.role, u.name AS shared_by FROM page p CROSS JOIN expenses e " +
			"JOIN shares s ON s.expense_id = e.id JOIN users u ON u.id = e.user_id WHERE e.id = p.place AND s.user_id = ? AND s.role <> ''"
		params = append(params, userID)
	}
	return query + access.NewestFirst, params
}
