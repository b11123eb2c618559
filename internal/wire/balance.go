package wire

import "expenseflow/models"

// A Balance is the response to GET /api/accounts/balance: the totals in the account's
// currency and, in ByCurrency, those in other currencies.
type Balance struct {
	Balance    Total           `json:"balance"`
	Income     Total           `json:"income"`
	Expense    Total           `json:"expense"`
	Currency   string          `json:"currency"`
	ByCurrency []CurrencyTotal `json:"byCurrency"`
	UpdatedAt  *Time           `json:"updatedAt"` // null before the first entry
}

// NewBalance returns the document of b. Other currencies are converted by rates.
func NewBalance(b models.Balance, rates *models.Rates) Balance {
	return Balance{
		Balance: Total(b.Balance()), Income: Total(b.Income), Expense: Total(b.Expense),
		Currency: b.Currency, ByCurrency: currencyTotals(b.Others, b.Currency, rates), UpdatedAt: nullableTime(b.UpdatedAt),
	}
}

// A BalanceChange is the payload of account:balance.
type BalanceChange struct {
	Balance
	Delta Total  `json:"delta"` // difference from the previous event; 0 on connect
	Cause *Cause `json:"cause"` // null on connect
}

// A Cause is the change that changed a balance, the last one of several.
type Cause struct {
	ExpenseID string `json:"expenseId"`
	Action    string `json:"action"` // created, updated or deleted
}

var causes = map[models.ChangeKind]string{
	models.ExpenseCreated: "created", models.ExpenseUpdated: "updated", models.ExpenseDeleted: "deleted",
}

// NewBalanceChange returns the payload of account:balance. delta is the difference from
// the previous event; by is the newest change of an expense, nil on connect.
func NewBalanceChange(b models.Balance, rates *models.Rates, delta models.Sum, by *models.Change) BalanceChange {
	c := BalanceChange{Balance: NewBalance(b, rates), Delta: Total(delta)}
	if by != nil {
		c.Cause = &Cause{ExpenseID: by.EntityID, Action: causes[by.Kind]}
	}
	return c
}
