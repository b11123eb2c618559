package ledger

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"expenseflow/models"
)

var errExpenseMissing = models.E(models.Invalid, "The expense that it belongs to is not here")

func (w *importWork) applyComment(a models.Activity) (ImportResult, error) {
	if err := models.InvalidIf(models.CheckComment(a.Text)); err != nil {
		return ImportResult{}, err
	}
	id, stored := w.target(a.ID)
	if stored {
		return ImportResult{Outcome: ImportSame, ID: id}, nil
	}
	expenseID, role, err := w.importedExpense(a.ExpenseID)
	if err == nil && role == models.NoRole && w.opts.DryRun {
		return w.took(id), nil
	}
	if err == nil && (role != models.RoleOwner && (role == models.NoRole || !w.opts.KeepIDs)) {
		err = errExpenseMissing // those on others' expenses are the others', who would not hear of it
	}
	if err == nil {
		err = w.checkCommentLimit(expenseID)
	}
	if err != nil {
		return ImportResult{}, err
	}
	a = models.Activity{
		ID: id, ExpenseID: expenseID, UserID: w.userID, Type: models.ActivityComment, Text: a.Text, At: w.past(a.At, w.Tx.Now()),
	}
	return w.took(id), w.save(func() error { return w.Tx.InsertActivity(a, role) })
}

// importedExpense returns the expense that has this id at the source, and the user's role in
// it: NoRole if there is none.
func (w *importWork) importedExpense(id string) (string, models.Role, error) {
	for _, c := range w.candidates(id) {
		role, err := w.Tx.RoleOf(c)
		if models.KindOf(err) != models.NotFound {
			return c, role, err
		}
	}
	return "", models.NoRole, nil
}

// maxNotificationData is how many bytes the data of an imported notification may have.
const maxNotificationData = 8 << 10

func (w *importWork) applyNotification(n models.Notification) (ImportResult, error) {
	if err := checkNotification(&n); err != nil {
		return ImportResult{}, err
	}
	id, stored := w.target(n.ID)
	if stored {
		return ImportResult{Outcome: ImportSame, ID: id}, nil
	}
	n.ID, n.UserID, n.CreatedAt = id, w.userID, w.past(n.CreatedAt, w.Tx.Now())
	if !w.opts.KeepIDs {
		n.ActorID, n.ExpenseID = "", ""
	}
	w.Tx.InsertNotification(n)
	if !n.Read {
		w.Tx.Append(models.Change{Kind: models.NotificationMuted, EntityID: id})
	}
	return w.took(id), nil
}

func checkNotification(n *models.Notification) error {
	broken := models.CheckText("title", n.Title, models.MaxNotificationTitle)
	broken = append(broken, models.CheckText("message", n.Message, models.MaxNotificationMessage)...)
	broken = append(broken, models.CheckText("type", n.Type, models.MaxNotificationTitle)...)
	broken = append(broken, models.CheckText("priority", n.Priority, models.MaxNotificationTitle)...)
	if len(n.Data) > maxNotificationData {
		broken = append(broken, models.Violation{Field: "data", Rule: models.RuleTooBig, Limit: maxNotificationData})
	} else if len(n.Data) > 0 && !json.Valid(n.Data) {
		broken = append(broken, models.Violation{Field: "data", Rule: models.RuleType})
	}
	return models.InvalidIf(broken)
}

func (w *importWork) applyPreferences(p models.NotificationPreferences) (ImportResult, error) {
	if err := models.InvalidIf(checkPreferences(&p)); err != nil {
		return ImportResult{}, err
	}
	stored, err := w.Tx.Preferences()
	if err != nil {
		return ImportResult{}, err
	}
	if p.Webhook.Secret == "" { // an export may leave it out
		p.Webhook.Secret = stored.Webhook.Secret
	}
	m := RecordMeta{CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt}
	p.AlertedAt, p.CreatedAt, p.UpdatedAt = stored.AlertedAt, stored.CreatedAt, stored.UpdatedAt
	outcome := ImportNew
	if !stored.CreatedAt.IsZero() {
		outcome = w.against(sameJSON(p, stored), m.UpdatedAt, stored.UpdatedAt)
	}
	switch outcome {
	case ImportNew:
		p.CreatedAt, p.UpdatedAt = w.times(m)
	case ImportChanged:
		p.UpdatedAt = models.Millis(m.UpdatedAt)
	default:
		return ImportResult{Outcome: outcome}, nil
	}
	return ImportResult{Outcome: outcome}, w.save(func() error { return w.Tx.SavePreferences(p) })
}

// maxTypes is how many types a list of them may have, of which each may be there twice.
const maxTypes = 50

// timeOfDay is HH:MM, or "" for none.
var timeOfDay = regexp.MustCompile(`^(([01][0-9]|2[0-3]):[0-5][0-9])?$`)

// checkPreferences returns the rules that preferences break, those of their lists included. A
// list that is absent becomes empty, and so does what is of another channel.
func checkPreferences(p *models.NotificationPreferences) []models.Violation {
	broken := p.Check()
	oneOf := func(field, value string, known []string) {
		if !slices.Contains(known, value) {
			broken = append(broken, models.Violation{Field: field, Rule: models.RuleOneOf, Value: value})
		}
	}
	for _, c := range []*models.Channel{&p.Email, &p.Push, &p.SMS, &p.Webhook} {
		if c.Types == nil {
			c.Types = []string{}
		}
		for _, kind := range c.Types {
			oneOf("types", kind, models.NotificationTypes)
		}
		if len(c.Types) > maxTypes {
			broken = append(broken, models.Violation{Field: "types", Rule: models.RuleTooMany, Limit: maxTypes})
		}
	}
	p.Email = models.Channel{Enabled: p.Email.Enabled, Types: p.Email.Types}
	p.Push = models.Channel{Enabled: p.Push.Enabled, Types: p.Push.Types}
	p.SMS.URL, p.SMS.Secret, p.Webhook.PhoneNumber = "", "", ""
	for field, text := range map[string]string{"start": p.Quiet.Start, "end": p.Quiet.End} {
		if !timeOfDay.MatchString(text) {
			broken = append(broken, models.Violation{Field: field, Rule: models.RuleType})
		}
	}
	oneOf("budgetAlerts", p.Frequency.BudgetAlerts, models.AlertFrequencies)
	oneOf("goalUpdates", p.Frequency.GoalUpdates, models.AlertFrequencies)
	oneOf("expenseSummaries", p.Frequency.ExpenseSummaries, models.SummaryFrequencies)
	return broken
}

// Limits of an operation, as for one in a batch (docs/contract.md#batches).
const (
	maxOperationData = 64 << 10
	maxOperationText = 256 // UTF-16 units

	maxOperationError = 1000 // bytes; the rest is cut off
)

// applyOperation parks an operation. Its key stays, so that a device that still has it in its
// queue gets the stored result.
func (w *importWork) applyOperation(q models.QueuedOperation) (ImportResult, error) {
	if err := checkOperation(&q); err != nil {
		return ImportResult{}, err
	}
	id, stored := w.target(q.ID)
	if stored {
		return ImportResult{Outcome: ImportSame, ID: id}, nil
	}
	if first, known, err := w.Tx.OperationByKey(q.Key); err != nil || known {
		return ImportResult{Outcome: ImportSame, ID: first.ID}, err
	}
	q.ID, q.UserID = id, w.userID
	q.Result = models.Result{ResourceID: q.ResourceID, Status: models.StatusParked, Error: q.Result.Error}
	q.CreatedAt, q.UpdatedAt = w.past(q.CreatedAt, w.Tx.Now()), w.Tx.Now() // the latter is when it may be forgotten
	if err := w.Park(q); err != nil {
		return ImportResult{}, err
	}
	return w.took(id), nil
}

func checkOperation(q *models.QueuedOperation) error {
	var broken []models.Violation
	if !slices.Contains([]models.Action{models.Create, models.Update, models.Delete}, q.Action) {
		broken = append(broken, models.Violation{Field: "action", Rule: models.RuleOneOf, Value: string(q.Action)})
	}
	for field, text := range map[string]string{
		"resourceId": q.ResourceID, "deviceId": q.DeviceID, "resourceType": q.ResourceType, "key": q.Key,
	} {
		broken = append(broken, models.CheckText(field, text, maxOperationText)...)
	}
	switch {
	case len(q.Data) > maxOperationData:
		broken = append(broken, models.Violation{Field: "data", Rule: models.RuleTooBig, Limit: maxOperationData})
	case len(q.Data) > 0 && !json.Valid(q.Data):
		broken = append(broken, models.Violation{Field: "data", Rule: models.RuleType})
	}
	q.Result.Error = strings.ToValidUTF8(q.Result.Error[:min(len(q.Result.Error), maxOperationError)], "?")
	return models.InvalidIf(broken)
}
