package wire

import "expenseflow/models"

// A Budget is the document of a stored budget (docs/contract.md#live-features).
type Budget struct {
	ID             string `json:"_id"`
	User           string `json:"user"`
	Name           string `json:"name"`
	Category       string `json:"category"`
	Amount         Amount `json:"amount"`
	Period         string `json:"period"`
	StartDate      *Time  `json:"startDate"` // null: no start
	EndDate        *Time  `json:"endDate"`   // null: no end
	AlertThreshold int    `json:"alertThreshold"`
	CreatedAt      Time   `json:"createdAt"`
	UpdatedAt      Time   `json:"updatedAt"`
	V              int    `json:"__v"`
	Version        int64  `json:"version"`
}

// NewBudget returns the document of b.
func NewBudget(b models.Budget) Budget {
	return Budget{
		ID: b.ID, User: b.UserID, Name: b.Name, Category: b.Category, Amount: Amount(b.Amount), Period: string(b.Period),
		StartDate: nullableTime(b.Start), EndDate: nullableTime(b.End), AlertThreshold: b.Threshold,
		CreatedAt: Time(b.CreatedAt), UpdatedAt: Time(b.UpdatedAt), Version: b.Version,
	}
}

// A BudgetState is a Budget with its evaluation in the current period, in the account's
// currency. ByCurrency are expenses in other currencies, which do not count. PeriodStart
// and PeriodEnd are midnight UTC of the first day of the period and of the day after its
// last.
type BudgetState struct {
	Budget
	Currency     string  `json:"currency"`
	IsActive     bool    `json:"isActive"`
	Spent        Total   `json:"spent"`
	Remaining    Total   `json:"remaining"` // negative if more was spent
	Percentage   float64 `json:"percentage"`
	IsOverBudget bool    `json:"isOverBudget"`
	Level        string  `json:"level"` // none, threshold or exceeded
	PeriodStart  Time    `json:"periodStart"`
	PeriodEnd    Time    `json:"periodEnd"`

	ByCurrency []CurrencySpending `json:"byCurrency"`
}

// A CurrencySpending is the total of the expenses in another currency than the account's.
type CurrencySpending struct {
	Currency  string             `json:"currency"`
	Spent     Total              `json:"spent"`
	Converted *ConvertedSpending `json:"converted"` // null without a rate
}

// A ConvertedSpending is a CurrencySpending converted to the account's currency.
type ConvertedSpending struct {
	Spent Total `json:"spent"`
	Conversion
}

var levels = map[models.Level]string{
	models.LevelNone: "none", models.LevelThreshold: "threshold", models.LevelExceeded: "exceeded",
}

// NewBudgetState returns the document of s. Other currencies are converted by rates.
func NewBudgetState(s models.BudgetReport, rates *models.Rates) BudgetState {
	doc := BudgetState{
		Budget: NewBudget(s.Budget), Currency: s.Currency, IsActive: s.Active,
		Spent: Total(s.Spent), Remaining: Total(models.SumOf(s.Budget.Amount).Minus(s.Spent)),
		Percentage: s.Percentage(), IsOverBudget: s.Level == models.LevelExceeded, Level: levels[s.Level],
		PeriodStart: Time(s.From.Time()), PeriodEnd: Time(s.To.Time()), ByCurrency: []CurrencySpending{},
	}
	for _, other := range s.Others {
		spent := CurrencySpending{Currency: other.Currency, Spent: Total(other.Sum)}
		if in, ok := rates.Convert(other.Sum, other.Currency, s.Currency); ok {
			spent.Converted = &ConvertedSpending{Total(in), newConversion(rates, other.Currency, s.Currency)}
		}
		doc.ByCurrency = append(doc.ByCurrency, spent)
	}
	return doc
}

// A BudgetAlert is a budget that has reached its threshold: the payload of budget:alert and
// an entry of GET /api/budgets/alerts.
type BudgetAlert struct {
	BudgetID     string  `json:"budgetId"`
	BudgetName   string  `json:"budgetName"`
	Category     string  `json:"category"`
	Spent        Total   `json:"spent"`
	Amount       Amount  `json:"amount"`
	Currency     string  `json:"currency,omitempty"` // of Spent and Amount; absent in old stored alerts
	Percentage   float64 `json:"percentage"`
	IsOverBudget bool    `json:"isOverBudget"`
}

// NewBudgetAlert returns the alert of s.
func NewBudgetAlert(s models.BudgetState) BudgetAlert {
	return BudgetAlert{
		BudgetID: s.Budget.ID, BudgetName: s.Budget.Name, Category: s.Budget.Category, Spent: Total(s.Spent),
		Amount: Amount(s.Budget.Amount), Currency: s.Currency, Percentage: s.Percentage(),
		IsOverBudget: s.Level == models.LevelExceeded,
	}
}

// A BudgetSummary is the response to GET /api/budgets/summary. Budgets of the same
// category are added up.
type BudgetSummary struct {
	TotalBudget       Total                      `json:"totalBudget"`
	TotalSpent        Total                      `json:"totalSpent"`
	BudgetCount       int                        `json:"budgetCount"`
	Categories        map[string]CategorySummary `json:"categories"`
	RemainingBudget   Total                      `json:"remainingBudget"`
	OverallPercentage float64                    `json:"overallPercentage"`
}

// A CategorySummary is the sum of the budgets of one category.
type CategorySummary struct {
	Budgeted   Total   `json:"budgeted"`
	Spent      Total   `json:"spent"`
	Remaining  Total   `json:"remaining"`
	Percentage float64 `json:"percentage"`
}

// NewBudgetSummary returns the sum of states.
func NewBudgetSummary(states []models.BudgetReport) BudgetSummary {
	s := BudgetSummary{BudgetCount: len(states), Categories: map[string]CategorySummary{}}
	for _, state := range states {
		s.Categories[state.Budget.Category] = addBudget(s.Categories[state.Budget.Category], state)
		s.TotalBudget = Total(models.Sum(s.TotalBudget).Add(state.Budget.Amount))
		s.TotalSpent = Total(models.Sum(s.TotalSpent).Plus(state.Spent))
	}
	s.RemainingBudget = Total(models.Sum(s.TotalBudget).Minus(models.Sum(s.TotalSpent)))
	s.OverallPercentage = percentage(models.Sum(s.TotalSpent), models.Sum(s.TotalBudget))
	return s
}

// addBudget returns c with one more budget of the category.
func addBudget(c CategorySummary, s models.BudgetReport) CategorySummary {
	budgeted, spent := models.Sum(c.Budgeted).Add(s.Budget.Amount), models.Sum(c.Spent).Plus(s.Spent)
	return CategorySummary{Total(budgeted), Total(spent), Total(budgeted.Minus(spent)), percentage(spent, budgeted)}
}
