package portable

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"expenseflow/internal/store"
	"expenseflow/models"
)

// An Exporter writes exports. Its methods may be called concurrently.
type Exporter struct {
	Store *store.Store
	Now   func() time.Time // nil is time.Now
}

// JSON writes the user's account to w. secrets are for an operator who moves the account: the
// hash of the password and the secret of the webhook. Errors: those of w, models.NotFound if the
// account is gone, and models.Unavailable. After an error of the latter the file is not whole.
func (x *Exporter) JSON(ctx context.Context, userID string, secrets bool, w io.Writer) error {
	err := x.Store.ViewAccount(ctx, userID, func(v *store.AccountView) error {
		e := &exporter{view: v, w: w, secrets: secrets, counts: map[string]int64{}}
		return e.run(x.now())
	})
	if err != nil {
		return fmt.Errorf("export an account: %w", err)
	}
	return nil
}

func (x *Exporter) now() time.Time {
	if x.Now == nil {
		return time.Now()
	}
	return x.Now()
}

// An exporter writes one export. Each element is on a line of its own.
type exporter struct {
	view    *store.AccountView
	w       io.Writer
	secrets bool
	counts  map[string]int64 // by section

	line bytes.Buffer
}

func (e *exporter) run(now time.Time) error {
	if err := e.head(now); err != nil {
		return err
	}
	for _, s := range []struct {
		name string
		each func() error
	}{
		{sectionBudgets, e.budgets},
		{sectionGoals, e.goals},
		{sectionExpenses, e.expenses},
		{sectionComments, func() error { return e.view.EachComment(e.comment(sectionComments)) }},
		{sectionNotifications, e.notifications},
		{sectionParked, e.parked},
		{sectionReceived, e.received},
		{sectionElsewhere, func() error { return e.view.EachCommentElsewhere(e.comment(sectionElsewhere)) }},
	} {
		if err := e.section(s.name, s.each); err != nil {
			return err
		}
	}
	return e.member(",\n", "counts", e.counts, "\n}\n")
}

func (e *exporter) head(now time.Time) error {
	prefs, err := e.preferences()
	if err != nil {
		return err
	}
	for _, m := range []struct {
		before, name string
		value        any
	}{
		{"{\n", "format", Format},
		{",\n", "version", Version},
		{",\n", "exportedAt", stamp{now}},
		{",\n", "account", e.account()},
		{",\n", "preferences", prefs},
	} {
		if err := e.member(m.before, m.name, m.value, ""); err != nil {
			return err
		}
	}
	return nil
}

// member writes one member of the file's object.
func (e *exporter) member(before, name string, value any, after string) error {
	e.line.Reset()
	fmt.Fprintf(&e.line, "%s%q: ", before, name)
	if err := e.encode(value); err != nil {
		return err
	}
	e.line.WriteString(after)
	_, err := e.w.Write(e.line.Bytes())
	return err
}

// encode appends a value to the line, as it is: without escapes for HTML.
func (e *exporter) encode(value any) error {
	enc := json.NewEncoder(&e.line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return err
	}
	e.line.Truncate(e.line.Len() - 1) // the end of the line
	return nil
}

// section writes an array, whose elements each adds.
func (e *exporter) section(name string, each func() error) error {
	e.counts[name] = 0
	if _, err := fmt.Fprintf(e.w, ",\n%q: [", name); err != nil {
		return err
	}
	if err := each(); err != nil {
		return err
	}
	_, err := io.WriteString(e.w, "]")
	return err
}

// add writes an element of a section.
func (e *exporter) add(section string, value any) error {
	e.line.Reset()
	if e.counts[section] > 0 {
		e.line.WriteByte(',')
	}
	e.counts[section]++
	e.line.WriteByte('\n')
	if err := e.encode(value); err != nil {
		return err
	}
	_, err := e.w.Write(e.line.Bytes())
	return err
}

func (e *exporter) account() account {
	u := e.view.User()
	a := account{
		ID: u.ID, Name: u.Name, Email: u.Email, CreatedAt: stamp{u.CreatedAt}, TimeZone: u.ChosenZone, Currency: u.ChosenCurrency,
	}
	if e.secrets {
		a.PasswordHash, a.PasswordScheme = passwordOf(u.PasswordHash)
	}
	return a
}

// preferences returns nil, which is null, if none are stored.
func (e *exporter) preferences() (*preferences, error) {
	p, err := e.view.Preferences()
	if err != nil || p.CreatedAt.IsZero() {
		return nil, err
	}
	if !e.secrets {
		p.Webhook.Secret = ""
	}
	return newPreferences(p), nil
}

func (e *exporter) budgets() error {
	all, err := e.view.Budgets()
	for i := 0; err == nil && i < len(all); i++ {
		err = e.add(sectionBudgets, newBudget(all[i]))
	}
	return err
}

func (e *exporter) goals() error {
	all, err := e.view.Goals()
	for i := 0; err == nil && i < len(all); i++ {
		err = e.add(sectionGoals, newGoal(all[i]))
	}
	return err
}

func (e *exporter) expenses() error {
	return e.view.EachExpense(func(x models.Expense, shares []models.Share) error {
		out := newExpense(x)
		for _, s := range shares {
			out.SharedWith = append(out.SharedWith, share{s.Name, s.Email, string(s.Role), stamp{s.CreatedAt}})
		}
		return e.add(sectionExpenses, out)
	})
}

func (e *exporter) received() error {
	return e.view.EachReceived(func(x models.Expense) error { return e.add(sectionReceived, newExpense(x)) })
}

func (e *exporter) comment(section string) func(models.Activity) error {
	return func(a models.Activity) error {
		return e.add(section, comment{a.ID, a.ExpenseID, a.UserID, a.UserName, a.Text, stamp{a.At}})
	}
}

func (e *exporter) notifications() error {
	return e.view.EachNotification(func(n models.Notification) error {
		return e.add(sectionNotifications, notification{
			n.ID, n.Type, n.Priority, n.Title, n.Message, n.Data, n.Read, stamp{n.CreatedAt}, n.ActorID, n.ExpenseID, n.Times,
		})
	})
}

func (e *exporter) parked() error {
	return e.view.EachParked(func(q models.QueuedOperation) error {
		return e.add(sectionParked, parked{
			q.ID, string(q.Action), q.ResourceType, q.ResourceID, q.DeviceID, q.Data, q.Timestamp, q.Result.Error,
			stamp{q.CreatedAt},
			q.Key,
		})
	})
}
