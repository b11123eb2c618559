package ledger

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"expenseflow/models"
)

// settle draws the consequences of a transaction that changed an expense or a
// budget, in that transaction, so that they are neither lost nor drawn twice.
//
// Budgets: the transaction is one step, whatever it did, and its moment decides
// which period counts. A budget whose level is higher after the step than the
// user knew is alerted with the level that it reached: a leap over the threshold
// to beyond the amount is one alert, of the latter. A level that has fallen can
// be alerted again, and so can all of them in a new period, after the budget was
// turned to another category or period, or while its dates kept it idle.
//
// Then the balance, and the changes of expenses themselves (Options).
//
// All of it is about the user's own expenses: those that others share with them
// are the owners' money.
func (l *Ledger) settle(w *Work) error {
	if !slices.ContainsFunc(w.Tx.Appended(), moves) {
		return nil
	}
	budgets, err := w.Tx.Reckon()
	if err != nil {
		return fmt.Errorf("settle budgets: %w", err)
	}
	for _, b := range budgets {
		if b.Level > b.Known {
			w.alert(b.BudgetState)
		}
	}
	before := w.Tx.Before()
	if balance := before.Balance(); !l.watchBalance(w, balance) {
		l.tellBalance(w, balance)
	}
	l.tellExpenses(w)
	return nil
}

// moves tells whether a change may move a budget.
func moves(c models.Change) bool { return ofOwn(&c) || c.Budget != nil }

// ofOwn tells whether a change is of an expense that is its user's own.
func ofOwn(c *models.Change) bool { return c.Kind.OfExpense() && c.Expense.UserID == c.UserID }

// alert writes that a budget has risen into the log, if its user wants to be told
// now, and keeps a notification.
func (w *Work) alert(s models.BudgetState) {
	told := w.tellsBudget()
	if told {
		w.Tx.Append(models.Change{Kind: models.BudgetAlerted, EntityID: s.Budget.ID, Alert: &models.BudgetAlert{State: s}})
	}
	n := models.Notification{Type: models.NotifyBudget, Data: alertData(&s)}
	b := &s.Budget
	if s.Level == models.LevelExceeded {
		over := s.Spent.Sub(b.Amount)
		n.Priority, n.Title = models.PriorityCritical, "Budget exceeded"
		n.Message = fmt.Sprintf("You have spent %s of %s%s in your budget %q, %s more than planned.", s.Spent, b.Amount, w.chosen(), b.Name, over)
	} else {
		n.Priority, n.Title = models.PriorityHigh, "Budget nearly used up"
		n.Message = fmt.Sprintf("You have spent %s of %s%s in your budget %q, which is %d %% of it.", s.Spent, b.Amount, w.chosen(), b.Name, int(s.Percentage()))
	}
	w.keep(n, models.Author{}, told)
}

// chosen is the account's currency for a sentence, behind an amount; nothing for
// one that was never chosen.
func (w *Work) chosen() string {
	if u := w.Tx.User(); u.ChosenCurrency != "" {
		return " " + u.ChosenCurrency
	}
	return ""
}

// alertData is the alert as docs/contract.md#live-features describes it.
func alertData(s *models.BudgetState) json.RawMessage {
	return data(struct {
		BudgetID     string      `json:"budgetId"`
		BudgetName   string      `json:"budgetName"`
		Category     string      `json:"category"`
		Spent        json.Number `json:"spent"`
		Amount       json.Number `json:"amount"`
		Currency     string      `json:"currency"`
		Percentage   float64     `json:"percentage"`
		IsOverBudget bool        `json:"isOverBudget"`
	}{
		s.Budget.ID, s.Budget.Name, s.Budget.Category, json.Number(s.Spent.String()), json.Number(s.Budget.Amount.String()),
		s.Currency, s.Percentage(), s.Level == models.LevelExceeded,
	})
}

// data makes v a notification's data; v is of texts and numbers.
func data(v any) json.RawMessage {
	b, _ := json.Marshal(v)
	return b
}

// notify keeps a notification, and tells it live if its user wants that. by is the
// device whose change it tells of.
func (w *Work) notify(n models.Notification, by models.Author) {
	w.keep(n, by, w.tells(n.Type))
}

// keep keeps a notification. What is not told live moves the unread count alone.
func (w *Work) keep(n models.Notification, by models.Author, told bool) {
	n.ID, n.UserID, n.CreatedAt = NewID(), w.Tx.User().ID, w.Tx.Now()
	w.Tx.InsertNotification(n)
	if told {
		w.Tx.Append(models.Change{Kind: models.NotificationCreated, EntityID: n.ID, Notification: &n, Author: by})
	} else {
		w.Tx.Append(models.Change{Kind: models.NotificationKept, EntityID: n.ID})
	}
}

// watchBalance tells of a balance that has fallen below Options.LowBalance, and
// reports whether it has.
func (l *Ledger) watchBalance(w *Work, before models.Balance) (told bool) {
	if l.opts.LowBalance == nil {
		return false
	}
	user, limit := w.Tx.User(), models.SumOf(*l.opts.LowBalance)
	after := user.Balance()
	if before.Balance().Cmp(limit) < 0 || after.Balance().Cmp(limit) >= 0 {
		return false
	}
	w.notify(models.Notification{
		Type: models.NotifyBalance, Priority: models.PriorityHigh, Title: "Low balance",
		Message: fmt.Sprintf("Your balance is %s%s, which is less than %s.", after.Balance(), w.chosen(), limit),
		Data: data(struct {
			Balance   json.Number `json:"balance"`
			Threshold json.Number `json:"threshold"`
			Currency  string      `json:"currency"`
		}{json.Number(after.Balance().String()), json.Number(limit.String()), after.Currency}),
	}, models.Author{})
	return true
}

// tellBalance tells all of the user's devices what the transaction made of the
// balance, if it changed.
func (l *Ledger) tellBalance(w *Work, before models.Balance) {
	user := w.Tx.User()
	after := user.Balance()
	delta := after.Balance().Minus(before.Balance())
	if !l.opts.NotifyBalance || delta.Cmp(models.Sum{}) == 0 {
		return
	}
	w.notify(models.Notification{
		Type: models.NotifyChange, Priority: models.PriorityLow, Title: "Balance changed",
		Message: fmt.Sprintf("Your balance is %s%s.", after.Balance(), w.chosen()),
		Data: data(map[string]json.Number{
			"balance": json.Number(after.Balance().String()), "delta": json.Number(delta.String()),
		}),
	}, models.Author{})
}

// tellExpenses makes one notification of the transaction's changes of expenses.
// Sockets of the device that made them do not hear of it.
func (l *Ledger) tellExpenses(w *Work) {
	if !l.opts.NotifyExpenses {
		return
	}
	var told []models.Change
	for _, c := range w.Tx.Appended() {
		if ofOwn(&c) {
			told = append(told, c)
		}
	}
	switch len(told) {
	case 0:
	case 1:
		w.notify(expenseNotification(&told[0]), told[0].Author)
	default:
		w.notify(expensesNotification(told), told[0].Author)
	}
}

func expenseNotification(c *models.Change) models.Notification {
	action := strings.TrimPrefix(string(c.Kind), "expense_")
	verb := action
	if c.Kind == models.ExpenseCreated {
		verb = "added"
	}
	return models.Notification{
		Type: models.NotifyExpense, Priority: models.PriorityLow, Title: "Expense " + verb,
		Message: strings.TrimSpace(c.Expense.Description + ": " + c.Expense.Amount.String() + " " + c.Expense.Currency),
		Data: data(struct {
			ExpenseID string `json:"expenseId"`
			Action    string `json:"action"`
			DeviceID  string `json:"deviceId,omitempty"`
		}{c.EntityID, action, c.Author.DeviceID}),
	}
}

// expensesNotification tells of several changes, which came as one batch.
func expensesNotification(told []models.Change) models.Notification {
	return models.Notification{
		Type: models.NotifyExpense, Priority: models.PriorityLow, Title: "Expenses synchronized",
		Message: strconv.Itoa(len(told)) + " changes arrived from another device.",
		Data: data(struct {
			Action   string `json:"action"`
			Count    int    `json:"count"`
			DeviceID string `json:"deviceId,omitempty"`
		}{"batch", len(told), told[0].Author.DeviceID}),
	}
}
