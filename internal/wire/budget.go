package wire

import "expenseflow/models"

// A Budget is a budget's document, with what is stored of it (docs/contract.md#live-features).
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

// A BudgetState is a budget's document with how it stands in its period, in the
// account's currency. ByCurrency is what was spent in others, which does not count.
// PeriodStart and PeriodEnd are midnight UTC of the first day that counts and of the
// first that no longer does.
type BudgetState struct {
	Budget
	Currency     string  `json:"currency"`
	IsActive     bool    `json:"isActive"`
	Spent        Total   `json:"spent"`
	Remaining    Total   `json:"remaining"` // below zero if it is overdrawn
	Percentage   float64 `json:"percentage"`
	IsOverBudget bool    `json:"isOverBudget"`
	Level        string  `json:"level"` // none, threshold or exceeded
	PeriodStart  Time    `json:"periodStart"`
	PeriodEnd    Time    `json:"periodEnd"`

	ByCurrency []Spent `json:"byCurrency"`
}

// A Spent is what was spent in another currency than the account's.
type Spent struct {
	Currency  string          `json:"currency"`
	Spent     Total           `json:"spent"`
	Converted *ConvertedSpent `json:"converted"` // null without a rate
}

// A ConvertedSpent is a Spent in the account's currency.
type ConvertedSpent struct {
	Spent Total `json:"spent"`
	Conversion
}

var levels = map[models.Level]string{
	models.LevelNone: "none", models.LevelThreshold: "threshold", models.LevelExceeded: "exceeded",
}

// NewBudgetState gives s's document, with what rates know.
func NewBudgetState(s models.BudgetReport, rates *models.Rates) BudgetState {
	doc := BudgetState{
		Budget: NewBudget(s.Budget), Currency: s.Currency, IsActive: s.Active, Spent: Total(s.Spent), Remaining: Total(models.SumOf(s.Budget.Amount).Minus(s.Spent)),
		Percentage: s.Percentage(), IsOverBudget: s.Level == models.LevelExceeded, Level: levels[s.Level],
		PeriodStart: Time(s.From.Time()), PeriodEnd: Time(s.To.Time()), ByCurrency: []Spent{},
	}
	for _, other := range s.Others {
		spent := Spent{Currency: other.Currency, Spent: Total(other.Sum)}
		if in, ok := rates.Convert(other.Sum, other.Currency, s.Currency); ok {
			spent.Converted = &ConvertedSpent{Total(in), newConversion(rates, other.Currency, s.Currency)}
		}
		doc.ByCurrency = append(doc.ByCurrency, spent)
	}
	return doc
}

// An Alert tells of a budget that is used up to its threshold or beyond: the
// payload of budget:alert, and what GET /api/budgets/alerts lists.
type Alert struct {
	BudgetID     string  `json:"budgetId"`
	BudgetName   string  `json:"budgetName"`
	Category     string  `json:"category"`
	Spent        Total   `json:"spent"`
	Amount       Amount  `json:"amount"`
	Currency     string  `json:"currency,omitempty"` // of both; absent from alerts that are older than currencies
	Percentage   float64 `json:"percentage"`
	IsOverBudget bool    `json:"isOverBudget"`
}

// NewAlert gives the document of an alert about s.
func NewAlert(s models.BudgetState) Alert {
	return Alert{
		BudgetID: s.Budget.ID, BudgetName: s.Budget.Name, Category: s.Budget.Category, Spent: Total(s.Spent),
		Amount: Amount(s.Budget.Amount), Currency: s.Currency, Percentage: s.Percentage(), IsOverBudget: s.Level == models.LevelExceeded,
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
func NewBudgetSummary(states []models.BudgetReport) BudgetSummary {
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
func summed(c CategorySummary, s models.BudgetReport) CategorySummary {
	budgeted, spent := models.Sum(c.Budgeted).Add(s.Budget.Amount), models.Sum(c.Spent).Plus(s.Spent)
	return CategorySummary{Total(budgeted), Total(spent), Total(budgeted.Minus(spent)), share(spent, budgeted)}
}
