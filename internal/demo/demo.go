// Package demo fills an account with a year of somebody's entries, and serves a page that
// shows two devices of it side by side.
//
// Promises:
//   - What is entered goes through the rules of internal/ledger, like anything that a
//     device sends.
//   - The same seed and day give the same entries.
//   - The built-in page may be framed by the page of the demo and by nothing else, and only
//     where Page.Handler serves.
package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"expenseflow/internal/ledger"
	"expenseflow/models"
)

// The accounts of the demo. Both have the same password.
const (
	Name        = "Ann"
	Email       = "ann@example.org"
	SecondName  = "Ben"
	SecondEmail = "ben@example.org"
)

const (
	currency = "EUR"
	unit     = 100 * hundredth
	nearly   = 92 // percent of its budget that food has used up
)

// Options are what Fill needs.
type Options struct {
	Ledger   *ledger.Ledger
	Accounts *ledger.Accounts
	Password string
	Seed     uint64
	Today    models.Day
	// Progress is told how many entries there are so far, and of how many.
	Progress func(done, all int)
}

// A filling is one call of Fill.
type filling struct {
	Options
	owner, second models.User
	year          []models.Draft
	shared        string // id of the entry that the second person has too
}

// Fill makes the accounts with their entries and budgets in a database without them, and
// returns how many entries the first one has.
func Fill(ctx context.Context, o Options) (entries int, err error) {
	f := &filling{Options: o, year: Year(o.Seed, o.Today)}
	for _, step := range []func(context.Context) error{f.register, f.enter, f.plan, f.share} {
		if err := step(ctx); err != nil {
			return 0, fmt.Errorf("fill the account: %w", err)
		}
	}
	return len(f.year), nil
}

func (f *filling) register(ctx context.Context) (err error) {
	if f.owner, err = f.Accounts.Register(ctx, Name, Email, f.Password); err != nil {
		return err
	}
	if f.second, err = f.Accounts.Register(ctx, SecondName, SecondEmail, f.Password); err != nil {
		return err
	}
	money := currency
	for _, u := range []models.User{f.owner, f.second} {
		if _, err := f.Ledger.ChangeSettings(ctx, u.ID, models.SettingsPatch{Currency: &money}, models.Author{}); err != nil {
			return err
		}
	}
	return nil
}

// batch is how many entries are written in one transaction.
const batch = 100

func (f *filling) enter(ctx context.Context) error {
	done := 0
	for drafts := range slices.Chunk(f.year, batch) {
		err := f.Ledger.Write(ctx, f.owner.ID, func(w *ledger.Work) error {
			for _, d := range drafts {
				e, err := w.Create(d, models.Author{})
				if err != nil {
					return err
				}
				if d.Description == sharedEntry {
					f.shared = e.ID
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		done += len(drafts)
		f.Progress(done, len(f.year))
	}
	return nil
}

// plan makes the budgets. That of food is nearly used up, on whatever day of the week.
func (f *filling) plan(ctx context.Context) error {
	for _, b := range []models.BudgetDraft{
		{Name: "Food this week", Category: "food", Period: models.Weekly, Amount: f.nearlySpent()},
		{Name: "Everything", Category: models.AllCategories, Amount: 2800 * unit},
		{Name: "Shopping", Category: "shopping", Amount: 200 * unit},
		{Name: "Journeys", Category: "travel", Period: models.Yearly, Amount: 2500 * unit},
	} {
		if _, err := f.Ledger.CreateBudget(ctx, f.owner.ID, ledger.BudgetCreation{Draft: b}); err != nil {
			return err
		}
	}
	return nil
}

// nearlySpent returns a little more than what food has cost this week, in whole units.
func (f *filling) nearlySpent() models.Money {
	return (f.spentOnFood()*100/nearly/unit + 1) * unit
}

func (f *filling) spentOnFood() (spent models.Money) {
	from, _ := models.Weekly.Bounds(f.Today)
	for _, d := range f.year {
		if d.Category == "food" && d.Currency == currency && *d.Day >= from && *d.Day <= f.Today {
			spent += d.Amount
		}
	}
	return spent
}

// share gives the second person entries of the first one, and the other way round.
func (f *filling) share(ctx context.Context) error {
	today := f.Today
	tickets, err := f.Ledger.CreateExpense(ctx, f.second.ID, ledger.ExpenseCreation{Draft: models.Draft{
		Description: "Tickets for the game", Amount: 46 * unit, Category: "entertainment", Type: "expense", Day: &today,
		Currency: currency,
	}})
	if err != nil {
		return err
	}
	if err := f.give(ctx, f.owner, f.second, f.shared); err != nil {
		return err
	}
	if err := f.give(ctx, f.second, f.owner, tickets.ID); err != nil {
		return err
	}
	_, err = f.Ledger.Comment(ctx, f.second.ID, f.shared, "I have paid half of it. See you on Friday!")
	return err
}

// give shares an entry with somebody, who accepts it.
func (f *filling) give(ctx context.Context, from, to models.User, id string) error {
	if err := f.Ledger.Share(ctx, from.ID, id, to.Email, models.RoleEditor, models.Author{}); err != nil {
		return err
	}
	if _, err := f.Ledger.DeliverInvitations(ctx); err != nil {
		return err
	}
	received, err := f.Ledger.Invitations(ctx, to.ID)
	if err != nil {
		return err
	}
	if len(received) == 0 {
		return errors.New("the invitation did not arrive")
	}
	_, err = f.Ledger.AcceptInvitation(ctx, to.ID, received[0].ID, models.Author{})
	return err
}
