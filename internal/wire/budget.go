package wire

import "expenseflow/models"

// A Budget is a budget's document, with what is stored of it (CONTRACT 6.2).
type Budget struct {
	ID             string `json:"_id"`
	User           string `json:"user"`
	Name           string `json:"name"`
	Category       string `json:"category"`
	Amount         Amount `json:"amount"`
	Period         string `json:"period"`
	StartDate      *Time  `json:"startDate"` // null: it always counted
	EndDate        *Time  `json:"endDate"`   // null: it does for ever
	AlertThreshold int    `json:"alertThreshold"`
	CreatedAt      Time   `json:"createdAt"`
	UpdatedAt      Time   `json:"updatedAt"`
	V              int    `json:"__v"`
	Version        int64  `json:"version"`
}

// NewBudget gives b's document.
func NewBudget(b models.Budget) Budget {
	return Budget{
		ID: b.ID, User: b.UserID, Name: b.Name, Category: b.Category, Amount: Amount(b.Amount), Period: string(b.Period),
		StartDate: known(b.Start), EndDate: known(b.End), AlertThreshold: b.Threshold,
		CreatedAt: Time(b.CreatedAt), UpdatedAt: Time(b.UpdatedAt), Version: b.Version,
	}
}

// A BudgetState is a budget's document with how it stands in its period.
// PeriodEnd is the first moment that no longer counts.
type BudgetState struct {
	Budget
	IsActive     bool    `json:"isActive"`
	Spent        Total   `json:"spent"`
	Remaining    Total   `json:"remaining"` // below zero if it is overdrawn
	Percentage   float64 `json:"percentage"`
	IsOverBudget bool    `json:"isOverBudget"`
	Level        string  `json:"level"` // none, threshold or exceeded
	PeriodStart  Time    `json:"periodStart"`
	PeriodEnd    Time    `json:"periodEnd"`
}

var levels = map[models.Level]string{
	models.LevelNone: "none", models.LevelThreshold: "threshold", models.LevelExceeded: "exceeded",
}

// NewBudgetState gives s's document.
func NewBudgetState(s models.BudgetState) BudgetState {
	return BudgetState{
		Budget: NewBudget(s.Budget), IsActive: s.Active, Spent: Total(s.Spent), Remaining: Total(models.SumOf(s.Budget.Amount).Minus(s.Spent)),
		Percentage: s.Percentage(), IsOverBudget: s.Level == models.LevelExceeded, Level: levels[s.Level],
		PeriodStart: Time(s.From), PeriodEnd: Time(s.To),
	}
}

// An Alert tells of a budget that is used up to its threshold or beyond: the
// payload of budget:alert, and what GET /api/budgets/alerts lists.
type Alert struct {
	BudgetID     string  `json:"budgetId"`
	BudgetName   string  `json:"budgetName"`
	Category     string  `json:"category"`
	Spent        Total   `json:"spent"`
	Amount       Amount  `json:"amount"`
	Percentage   float64 `json:"percentage"`
	IsOverBudget bool    `json:"isOverBudget"`
}

// NewAlert gives the document of an alert about s.
func NewAlert(s models.BudgetState) Alert {
	return Alert{
		BudgetID: s.Budget.ID, BudgetName: s.Budget.Name, Category: s.Budget.Category, Spent: Total(s.Spent),
		Amount: Amount(s.Budget.Amount), Percentage: s.Percentage(), IsOverBudget: s.Level == models.LevelExceeded,
	}
}

// A BudgetSummary is the answer to GET /api/budgets/summary. Budgets of one
// category are added up.
type BudgetSummary struct {
	TotalBudget       Total                      `json:"totalBudget"`
	TotalSpent        Total                      `json:"totalSpent"`
	BudgetCount       int                        `json:"budgetCount"`
	Categories        map[string]CategorySummary `json:"categories"`
	RemainingBudget   Total                      `json:"remainingBudget"`
	OverallPercentage float64                    `json:"overallPercentage"`
}

// A CategorySummary is the part of a summary that is about one category.
type CategorySummary struct {
	Budgeted   Total   `json:"budgeted"`
	Spent      Total   `json:"spent"`
	Remaining  Total   `json:"remaining"`
	Percentage float64 `json:"percentage"`
}

// NewBudgetSummary sums up states.
func NewBudgetSummary(states []models.BudgetState) BudgetSummary {
	s := BudgetSummary{BudgetCount: len(states), Categories: map[string]CategorySummary{}}
	for _, state := range states {
		s.Categories[state.Budget.Category] = summed(s.Categories[state.Budget.Category], state)
		s.TotalBudget = Total(models.Sum(s.TotalBudget).Add(state.Budget.Amount))
		s.TotalSpent = Total(models.Sum(s.TotalSpent).Plus(state.Spent))
	}
	s.RemainingBudget = Total(models.Sum(s.TotalBudget).Minus(models.Sum(s.TotalSpent)))
	s.OverallPercentage = share(models.Sum(s.TotalSpent), models.Sum(s.TotalBudget))
	return s
}

// summed gives c with one more budget of the category.
func summed(c CategorySummary, s models.BudgetState) CategorySummary {
	budgeted, spent := models.Sum(c.Budgeted).Add(s.Budget.Amount), models.Sum(c.Spent).Plus(s.Spent)
	return CategorySummary{Total(budgeted), Total(spent), Total(budgeted.Minus(spent)), share(spent, budgeted)}
}
