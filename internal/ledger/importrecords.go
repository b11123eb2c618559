package ledger

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"expenseflow/models"
)

func (w *importWork) applyExpense(r ExpenseRecord) (ImportResult, error) {
	d := r.Draft.Normalize()
	if d.Date == nil && w.isPast(r.CreatedAt) {
		d = d.WithDate(models.Millis(r.CreatedAt))
	}
	broken := d.Check()
	if d.Date == nil {
		broken = append(broken, models.Violation{Field: "date", Rule: models.RuleRequired})
	}
	if len(broken) > 0 {
		return ImportResult{}, models.InvalidIf(broken)
	}
	id, stored := w.target(r.ID)
	if stored {
		return w.changeExpense(id, r, d)
	}
	return w.addExpense(id, r, d)
}

// ErrDeletedHere is why an expense does not come back (ImportOptions.SkipDeleted).
var ErrDeletedHere = models.E(models.Conflict, "It was deleted here after it had been imported")

func (w *importWork) addExpense(id string, r ExpenseRecord, d models.Draft) (ImportResult, error) {
	u := w.Tx.User()
	switch {
	case w.deleted[id]:
		return ImportResult{}, ErrDeletedHere
	case w.maxExpenses > 0 && u.Expenses+w.added[tableExpenses] >= w.maxExpenses:
		return ImportResult{}, expenseLimitError(w.maxExpenses)
	}
	if err := checkCurrencyLimit(w.Tx.User(), d.Currency); err != nil {
		return ImportResult{}, err
	}
	e := d.Expense(models.ResolveDay(*d.Date, d.Day, w.Tx.Zone()))
	e.ID, e.UserID, e.Version, e.LastSyncedAt = id, u.ID, max(r.version(), 1), w.Tx.Now()
	e.CreatedAt, e.UpdatedAt = w.times(r.RecordMeta)
	w.Tx.InsertExpense(e)
	w.appendToLogs(models.ExpenseCreated, e, w.opts.Author)
	return w.took(id), nil
}

func (w *importWork) changeExpense(id string, r ExpenseRecord, d models.Draft) (ImportResult, error) {
	stored, err := w.Tx.Expense(id)
	if err != nil {
		return ImportResult{}, err
	}
	e := stored
	d.Patch().Apply(&e, w.Tx.Zone())
	if outcome := w.against(sameExpense(e, stored), r.UpdatedAt, stored.UpdatedAt); outcome != ImportChanged {
		return ImportResult{Outcome: outcome, ID: id}, nil
	}
	if err := checkCurrencyLimit(w.Tx.User(), e.Currency); err != nil {
		return ImportResult{}, err
	}
	e.Version, e.LastSyncedAt = max(stored.Version+1, r.version()), w.Tx.Now()
	e.UpdatedAt = models.Millis(r.UpdatedAt)
	w.Tx.UpdateExpense(e)
	w.appendToLogs(models.ExpenseUpdated, e, w.opts.Author)
	return ImportResult{Outcome: ImportChanged, ID: id}, nil
}

// against returns what becomes of a stored entity that a record is about: it changes only to what
// is newer.
func (w *importWork) against(same bool, updated, stored time.Time) ImportOutcome {
	switch {
	case same:
		return ImportSame
	case !w.newer(updated, stored):
		return ImportKept
	}
	return ImportChanged
}

// sameExpense compares expenses; equal times may differ in what represents them.
func sameExpense(a, b models.Expense) bool {
	same := a.Date.Equal(b.Date)
	a.Date = b.Date
	return same && a == b
}

func (w *importWork) applyBudget(r BudgetRecord) (ImportResult, error) {
	b := r.Draft.Budget(w.Tx.Zone())
	if err := models.InvalidIf(b.Check()); err != nil {
		return ImportResult{}, err
	}
	id, stored := w.target(r.ID)
	b.ID, b.UserID = id, w.userID
	if stored {
		return w.changeBudget(b, r.RecordMeta)
	}
	if w.Tx.User().Budgets+w.added[tableBudgets] >= models.MaxBudgets {
		return ImportResult{}, budgetLimitError()
	}
	b.Version = max(r.version(), 1)
	b.CreatedAt, b.UpdatedAt = w.times(r.RecordMeta)
	w.Tx.InsertBudget(b)
	w.appendBudgetChange(models.BudgetCreated, b, w.opts.Author)
	return w.took(id), nil
}

func (w *importWork) changeBudget(b models.Budget, m RecordMeta) (ImportResult, error) {
	stored, err := w.Tx.Budget(b.ID)
	if err != nil {
		return ImportResult{}, err
	}
	b.Version, b.CreatedAt, b.UpdatedAt = stored.Version, stored.CreatedAt, stored.UpdatedAt
	if outcome := w.against(sameJSON(b, stored), m.UpdatedAt, stored.UpdatedAt); outcome != ImportChanged {
		return ImportResult{Outcome: outcome, ID: b.ID}, nil
	}
	b.Version, b.UpdatedAt = max(stored.Version+1, m.version()), models.Millis(m.UpdatedAt)
	w.Tx.UpdateBudget(b)
	w.appendBudgetChange(models.BudgetUpdated, b, w.opts.Author)
	return ImportResult{Outcome: ImportChanged, ID: b.ID}, nil
}

// sameJSON compares what is small and rare.
func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && slices.Equal(x, y)
}

func (w *importWork) applyGoal(g models.Goal) (ImportResult, error) {
	if err := models.InvalidIf(g.Check()); err != nil {
		return ImportResult{}, err
	}
	m := RecordMeta{g.ID, g.Version, g.CreatedAt, g.UpdatedAt}
	id, known := w.target(g.ID)
	g.ID, g.UserID, g.TargetDate = id, w.userID, models.Millis(g.TargetDate)
	g.Milestones = importedMilestones(g)
	if known {
		return w.changeGoalRecord(g, m)
	}
	n, err := w.Tx.CountGoals()
	if w.opts.DryRun {
		n += int(w.added[tableGoals] + w.fresh)
	}
	if err == nil && n >= models.MaxGoals {
		err = limitError(CodeGoalLimit, "There can be at most "+strconv.Itoa(models.MaxGoals)+" goals")
	}
	if err != nil {
		return ImportResult{}, err
	}
	g.Version = max(m.version(), 1)
	g.CreatedAt, g.UpdatedAt = w.times(m)
	return w.took(id), w.save(func() error { return w.Tx.SaveGoal(g) })
}

// importedMilestones returns a goal's milestones with ids.
func importedMilestones(g models.Goal) []models.Milestone {
	all := slices.Clone(g.Milestones)
	for i := range all {
		m := &all[i]
		m.Date, m.AchievedAt = models.Millis(m.Date), models.Millis(m.AchievedAt)
		if !models.IsID(m.ID) {
			m.ID = ImportedID(g.ID, strconv.Itoa(i))
		}
	}
	return all
}

// sameGoal compares goals; no milestones are represented in two ways.
func sameGoal(a, b models.Goal) bool {
	if len(a.Milestones)+len(b.Milestones) == 0 {
		a.Milestones, b.Milestones = nil, nil
	}
	return sameJSON(a, b)
}

func (w *importWork) changeGoalRecord(g models.Goal, m RecordMeta) (ImportResult, error) {
	stored, err := w.Tx.Goal(g.ID)
	if err != nil {
		return ImportResult{}, err
	}
	g.Version, g.CreatedAt, g.UpdatedAt = stored.Version, stored.CreatedAt, stored.UpdatedAt
	if outcome := w.against(sameGoal(g, stored), m.UpdatedAt, stored.UpdatedAt); outcome != ImportChanged {
		return ImportResult{Outcome: outcome, ID: g.ID}, nil
	}
	g.Version, g.UpdatedAt = max(stored.Version+1, m.version()), models.Millis(m.UpdatedAt)
	return ImportResult{Outcome: ImportChanged, ID: g.ID}, w.save(func() error { return w.Tx.SaveGoal(g) })
}
