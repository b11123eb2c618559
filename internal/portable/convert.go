package portable

import (
	"strings"
	"time"

	"expenseflow/internal/ledger"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// passwordOf returns a stored hash and its scheme.
func passwordOf(stored []byte) (hash, scheme string) {
	switch text := string(stored); {
	case text == "":
		return "", ""
	case strings.HasPrefix(text, longHashPrefix):
		return strings.TrimPrefix(text, longHashPrefix), schemeLongBcrypt
	default:
		return text, schemeBcrypt
	}
}

// storedHash is the inverse of passwordOf.
func (a *account) storedHash() ([]byte, error) {
	switch {
	case a.PasswordHash == "":
		return nil, nil
	case a.PasswordScheme == schemeLongBcrypt:
		return []byte(longHashPrefix + a.PasswordHash), nil
	case a.PasswordScheme == schemeBcrypt || a.PasswordScheme == "":
		return []byte(a.PasswordHash), nil
	}
	return nil, invalidf("the password has the scheme %q, which this version does not know", clip(a.PasswordScheme))
}

func newExpense(e models.Expense) expense {
	return expense{
		ID: e.ID, Date: stamp{e.Date}, Day: e.Day.String(), Type: e.Type, Description: e.Description, Amount: amount(e.Amount),
		Currency: e.Currency, Category: e.Category, Merchant: e.Merchant, Notes: e.Notes, Tags: e.Tags.List(),
		meta:  meta{e.Version, stamp{e.CreatedAt}, stamp{e.UpdatedAt}},
		Owner: e.SharedBy, Role: string(e.Role),
	}
}

func (m meta) record(id string) ledger.RecordMeta {
	return ledger.RecordMeta{ID: id, Version: m.Version, CreatedAt: m.CreatedAt.Time, UpdatedAt: m.UpdatedAt.Time}
}

func (e *expense) record() (ledger.Record, error) {
	day, err := dayOf("day", e.Day)
	r := ledger.ExpenseRecord{RecordMeta: e.meta.record(e.ID), Draft: models.Draft{
		Description: e.Description, Amount: models.Money(e.Amount), Category: e.Category, Type: e.Type, Day: day,
		Currency: e.Currency, Merchant: e.Merchant, Notes: e.Notes, Tags: models.NewTags(e.Tags),
	}}
	if !e.Date.IsZero() {
		r.Draft.Date = &e.Date.Time
	}
	return ledger.Record{Expense: &r}, err
}

// dayOf parses a day; nil for none.
func dayOf(field, text string) (*models.Day, error) {
	if text == "" {
		return nil, nil
	}
	day, ok := models.ParseDay(text)
	if !ok {
		return nil, invalidf("%s is %q, which is no day such as 2026-01-31", field, clip(text))
	}
	return &day, nil
}

func newBudget(b models.Budget) budget {
	out := budget{
		ID: b.ID, Name: b.Name, Category: b.Category, Amount: amount(b.Amount), Period: string(b.Period), Threshold: &b.Threshold,
		meta: meta{b.Version, stamp{b.CreatedAt}, stamp{b.UpdatedAt}},
	}
	if !b.Start.IsZero() {
		out.Start, out.StartDay = &stamp{b.Start}, b.StartDay.String()
	}
	if !b.End.IsZero() {
		out.End, out.EndDay = &stamp{b.End}, b.EndDay.String()
	}
	return out
}

func (b *budget) record() (r ledger.Record, err error) {
	d := models.BudgetDraft{
		Name: b.Name, Category: b.Category, Amount: models.Money(b.Amount), Period: models.Period(b.Period), Threshold: b.Threshold,
		Start: timeOf(b.Start), End: timeOf(b.End),
	}
	if d.StartDay, err = dayOf("startDay", b.StartDay); err != nil {
		return r, err
	}
	d.EndDay, err = dayOf("endDay", b.EndDay)
	return ledger.Record{Budget: &ledger.BudgetRecord{RecordMeta: b.meta.record(b.ID), Draft: d}}, err
}

func timeOf(s *stamp) time.Time {
	if s == nil {
		return time.Time{}
	}
	return s.Time
}

func newGoal(g models.Goal) goal {
	out := goal{
		ID: g.ID, Title: g.Title, Description: g.Description, Target: amount(g.Target), Current: amount(g.Current), Type: g.Type,
		Category: g.Category, TargetDate: stamp{g.TargetDate}, Priority: g.Priority, Status: g.Status, Reminder: g.Reminder,
		meta: meta{g.Version, stamp{g.CreatedAt}, stamp{g.UpdatedAt}},
	}
	for _, m := range g.Milestones {
		out.Milestones = append(out.Milestones, milestone{m.ID, amount(m.Amount), stamp{m.Date}, stamp{m.AchievedAt}})
	}
	return out
}

func (g *goal) record() (ledger.Record, error) {
	out := models.Goal{
		ID: g.ID, Title: models.Trim(g.Title), Description: models.Trim(g.Description), Target: models.Money(g.Target),
		Current: models.Money(g.Current), Type: g.Type, Category: g.Category, TargetDate: g.TargetDate.Time, Priority: g.Priority,
		Status: g.Status, Reminder: g.Reminder, Version: g.Version, CreatedAt: g.CreatedAt.Time, UpdatedAt: g.UpdatedAt.Time,
	}
	for _, m := range g.Milestones {
		out.Milestones = append(out.Milestones, models.Milestone{
			ID: m.ID, Amount: models.Money(m.Amount), Date: m.Date.Time, AchievedAt: m.AchievedAt.Time,
		})
	}
	return ledger.Record{Goal: &out}, nil
}

func (c *comment) record() (ledger.Record, error) {
	return ledger.Record{Comment: &models.Activity{
		ID: c.ID, ExpenseID: c.ExpenseID, UserID: c.AuthorID, Text: c.Text, At: c.At.Time,
	}}, nil
}

func (n *notification) record() (ledger.Record, error) {
	return ledger.Record{Notification: &models.Notification{
		ID: n.ID, Type: n.Type, Priority: n.Priority, Title: n.Title, Message: n.Message, Data: n.Data, Read: n.Read,
		CreatedAt: n.CreatedAt.Time, ActorID: n.ActorID, ExpenseID: n.ExpenseID, Times: n.Times,
	}}, wire.CheckData(n.Data)
}

func (p *parked) record() (ledger.Record, error) {
	return ledger.Record{Operation: &models.QueuedOperation{
		ID: p.ID, Key: p.Key, CreatedAt: p.CreatedAt.Time, Result: models.Result{Error: p.Error},
		Operation: models.Operation{
			Action: models.Action(p.Action), ResourceType: p.ResourceType, ResourceID: p.ResourceID, DeviceID: p.DeviceID,
			Data: p.Data, Timestamp: p.Timestamp,
		},
	}}, wire.CheckData(p.Data)
}

func newPreferences(p models.NotificationPreferences) *preferences {
	return &preferences{
		Email: channel(p.Email), Push: channel(p.Push), SMS: channel(p.SMS), Webhook: channel(p.Webhook),
		QuietHours: quietHours(p.Quiet), Frequency: frequency(p.Frequency),
		CreatedAt: stamp{p.CreatedAt}, UpdatedAt: stamp{p.UpdatedAt},
	}
}

func (p *preferences) record() ledger.Record {
	return ledger.Record{Preferences: &models.NotificationPreferences{
		Email: models.Channel(p.Email), Push: models.Channel(p.Push), SMS: models.Channel(p.SMS), Webhook: models.Channel(p.Webhook),
		Quiet: models.QuietHours(p.QuietHours), Frequency: models.Frequency(p.Frequency),
		CreatedAt: p.CreatedAt.Time, UpdatedAt: p.UpdatedAt.Time,
	}}
}
