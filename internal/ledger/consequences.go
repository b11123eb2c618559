package ledger

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"expenseflow/models"
)

// applyConsequences adds the alerts and notifications that follow from a transaction's changes of
// expenses and budgets. It runs inside the transaction, so they are neither lost nor
// repeated.
//
// Budgets are evaluated once, after all changes, for the period of the transaction's
// time. A budget whose level is higher than the user was last alerted of gets one alert
// with the new level, also if it skipped a level. A level that has fallen can be alerted
// again. So can every level in a new period, after a change of the budget's category or
// period, and after a time in which its dates made it inactive.
//
// Notifications of the balance, of changed expenses and of what others changed depend on Options.
//
// Only the user's own expenses count, not those that others share with the user.
func (l *Ledger) applyConsequences(w *Work) error {
	if err := l.notifyEdits(w); err != nil {
		return err
	}
	if !slices.ContainsFunc(w.Tx.Appended(), affectsBudgets) {
		return nil
	}
	budgets, err := w.Tx.EvaluateBudgets()
	if err != nil {
		return fmt.Errorf("evaluate budgets: %w", err)
	}
	for _, b := range budgets {
		if b.Level > b.Known {
			w.alert(b.BudgetState)
		}
	}
	before := w.Tx.Before()
	if balance := before.Balance(); !l.notifyLowBalance(w, balance) {
		l.notifyBalanceChange(w, balance)
	}
	l.notifyExpenses(w)
	return nil
}

// affectsBudgets reports whether a change may change the level of a budget.
func affectsBudgets(c models.Change) bool { return isOwnExpense(&c) || c.Budget != nil }

// isOwnExpense reports whether a change is of an expense that the log's user owns.
func isOwnExpense(c *models.Change) bool { return c.Kind.IsExpense() && c.Expense.UserID == c.UserID }

// alert stores a notification that a budget has risen and, if the user wants it live,
// adds a change to the log.
func (w *Work) alert(s models.BudgetState) {
	told := w.takeBudgetAlert()
	if told {
		w.Tx.Append(models.Change{Kind: models.BudgetAlerted, EntityID: s.Budget.ID, Alert: &models.BudgetAlert{State: s}})
	}
	n := models.Notification{Type: models.NotifyBudget, Data: alertData(&s)}
	b := &s.Budget
	if s.Level == models.LevelExceeded {
		over := s.Spent.Sub(b.Amount)
		n.Priority, n.Title = models.PriorityCritical, "Budget exceeded"
		n.Message = fmt.Sprintf("You have spent %s of %s%s in your budget %q, %s more than planned.",
			s.Spent, b.Amount, w.currencySuffix(), b.Name, over)
	} else {
		n.Priority, n.Title = models.PriorityHigh, "Budget nearly used up"
		n.Message = fmt.Sprintf("You have spent %s of %s%s in your budget %q, which is %d %% of it.",
			s.Spent, b.Amount, w.currencySuffix(), b.Name, int(s.Percentage()))
	}
	w.insertNotification(n, models.Author{}, told)
}

// currencySuffix returns " " and the account's currency, to follow an amount in a sentence; ""
// if the account has not chosen one.
func (w *Work) currencySuffix() string {
	if u := w.Tx.User(); u.ChosenCurrency != "" {
		return " " + u.ChosenCurrency
	}
	return ""
}

// alertData returns the alert in the form of docs/contract.md#live-features.
func alertData(s *models.BudgetState) json.RawMessage {
	return notificationData(struct {
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

// notificationData returns v as JSON. v must consist of strings, numbers and booleans, which always
// marshal.
func notificationData(v any) json.RawMessage {
	b, _ := json.Marshal(v)
	return b
}

// notify stores a notification and, if the user wants it live, adds a change to the log.
// by is the author of the change that caused it.
func (w *Work) notify(n models.Notification, by models.Author) {
	w.insertNotification(n, by, w.wantsLive(n.Type))
}

// insertNotification stores a notification. If it is not sent live, the log gets only a silent change,
// for the unread count.
func (w *Work) insertNotification(n models.Notification, by models.Author, told bool) {
	n.ID, n.UserID, n.CreatedAt = NewID(), w.Tx.User().ID, w.Tx.Now()
	w.Tx.InsertNotification(n)
	if told {
		w.Tx.Append(models.Change{Kind: models.NotificationCreated, EntityID: n.ID, Notification: &n, Author: by})
	} else {
		w.Tx.Append(models.Change{Kind: models.NotificationMuted, EntityID: n.ID})
	}
}

// notifyLowBalance notifies the user if the transaction made the balance fall below
// Options.LowBalance, and reports whether it did.
func (l *Ledger) notifyLowBalance(w *Work, before models.Balance) (told bool) {
	if l.opts.LowBalance == nil {
		return false
	}
	user, limit := w.Tx.User(), models.SumOf(*l.opts.LowBalance)
	after := user.Balance()
	if before.Balance().Cmp(limit) < 0 || after.Balance().Cmp(limit) >= 0 {
		return false
	}
	w.notify(models.Notification{
		Type: models.NotifyLowBalance, Priority: models.PriorityHigh, Title: "Low balance",
		Message: fmt.Sprintf("Your balance is %s%s, which is less than %s.", after.Balance(), w.currencySuffix(), limit),
		Data: notificationData(struct {
			Balance   json.Number `json:"balance"`
			Threshold json.Number `json:"threshold"`
			Currency  string      `json:"currency"`
		}{json.Number(after.Balance().String()), json.Number(limit.String()), after.Currency}),
	}, models.Author{})
	return true
}

// notifyBalanceChange notifies the user if the transaction changed the balance.
func (l *Ledger) notifyBalanceChange(w *Work, before models.Balance) {
	user := w.Tx.User()
	after := user.Balance()
	delta := after.Balance().Minus(before.Balance())
	if !l.opts.NotifyBalance || delta.Cmp(models.Sum{}) == 0 {
		return
	}
	w.notify(models.Notification{
		Type: models.NotifyBalanceChange, Priority: models.PriorityLow, Title: "Balance changed",
		Message: fmt.Sprintf("Your balance is %s%s.", after.Balance(), w.currencySuffix()),
		Data: notificationData(map[string]json.Number{
			"balance": json.Number(after.Balance().String()), "delta": json.Number(delta.String()),
		}),
	}, models.Author{})
}

// notifyExpenses adds one notification for all of the transaction's changes of expenses. It
// is not sent to the device that made them.
func (l *Ledger) notifyExpenses(w *Work) {
	if !l.opts.NotifyExpenses || (l.opts.NotifyPeople && w.Tx.Acting() != w.Tx) { // notifyEdits tells who it was
		return
	}
	var told []models.Change
	for _, c := range w.Tx.Appended() {
		if isOwnExpense(&c) {
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
		Data: notificationData(struct {
			ExpenseID string `json:"expenseId"`
			Action    string `json:"action"`
			DeviceID  string `json:"deviceId,omitempty"`
		}{c.EntityID, action, c.Author.DeviceID}),
	}
}

// expensesNotification returns the notification of several changes, which came in one
// batch.
func expensesNotification(told []models.Change) models.Notification {
	return models.Notification{
		Type: models.NotifyExpense, Priority: models.PriorityLow, Title: "Expenses synchronized",
		Message: strconv.Itoa(len(told)) + " changes arrived from another device.",
		Data: notificationData(struct {
			Action   string `json:"action"`
			Count    int    `json:"count"`
			DeviceID string `json:"deviceId,omitempty"`
		}{"batch", len(told), told[0].Author.DeviceID}),
	}
}
