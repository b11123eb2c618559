package store_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// budget makes, edits or removes a budget.
func (r *run) budget() error {
	ids := slices.Sorted(maps.Keys(r.m.budgets))
	if len(ids) == 0 || rapid.Bool().Draw(r.t, "new") {
		b := models.BudgetDraft{Name: "b", Category: models.AllCategories, Amount: 5_000_000, Period: models.Yearly}.Budget(time.UTC)
		b.ID, b.UserID, b.CreatedAt, b.UpdatedAt = storetest.ID(), r.user, r.tx.Now(), r.tx.Now()
		r.tx.InsertBudget(b)
		r.m.budgets[b.ID] = b
		return nil
	}
	b, err := r.tx.Budget(rapid.SampledFrom(ids).Draw(r.t, "budget"))
	if diff := cmp.Diff(r.m.budgets[b.ID], b); diff != "" || err != nil {
		return fmt.Errorf("budget: %w (-model +got):\n%s", err, diff)
	}
	if rapid.Bool().Draw(r.t, "delete") {
		r.tx.DeleteBudget(b)
		delete(r.m.budgets, b.ID)
		return nil
	}
	b.Category = rapid.SampledFrom([]string{"food", models.AllCategories}).Draw(r.t, "of")
	b.Period = models.Period(rapid.SampledFrom(models.Periods).Draw(r.t, "period"))
	r.tx.UpdateBudget(b)
	r.m.budgets[b.ID] = b
	return nil
}

func (r *run) reckon() error {
	states, err := r.tx.EvaluateBudgets()
	if err != nil || len(states) != len(r.m.budgets) {
		return fmt.Errorf("%d of %d budgets reckoned, %w", len(states), len(r.m.budgets), err)
	}
	for _, s := range states {
		if want := spent(r.m, s.Budget, r.tx.Now()); s.Spent != want {
			return fmt.Errorf("%v is spent, want %v", s.Spent, want)
		}
	}
	return nil
}

// spent adds up what a budget counts at a moment.
func spent(m model, b models.Budget, at time.Time) (sum models.Sum) {
	from, to := b.Window(models.DayOf(at, m.user().Zone(time.UTC)))
	for _, e := range m.expenses {
		if e.Type == "expense" && b.Covers(e.Category) && e.Day >= from && e.Day < to &&
			models.IsOwnCurrency(e.Currency, m.user().Currency()) {
			sum = sum.Add(e.Amount)
		}
	}
	return sum
}

// user is one with the model's settings.
func (m model) user() *models.User {
	return &models.User{ChosenZone: m.settings.Zone, ChosenCurrency: m.settings.Currency}
}

func anyCurrency(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "INR", "USD", "EUR", "XXXXX"}).Draw(t, "currency")
}

// choose changes the user's name, or the account's zone or currency.
func (r *run) choose() error {
	if rapid.IntRange(0, 4).Draw(r.t, "name") == 1 {
		r.m.settings.Name = rapid.SampledFrom([]string{"Alice", "Alice Miller", "爱丽丝"}).Draw(r.t, "new name")
		return r.tx.SetName(r.m.settings.Name)
	}
	if rapid.Bool().Draw(r.t, "zone") {
		r.m.settings.Zone = rapid.SampledFrom([]string{"America/Los_Angeles", "Pacific/Auckland", "UTC"}).Draw(r.t, "zone")
		return r.tx.SetZone(r.m.settings.Zone)
	}
	r.m.settings.Currency = rapid.SampledFrom([]string{"INR", "USD", "EUR"}).Draw(r.t, "account currency")
	return r.tx.SetCurrency(r.m.settings.Currency)
}

// note makes, marks or removes a notification, or marks all.
func (r *run) note() error {
	ids := slices.Sorted(maps.Keys(r.m.notes))
	what := rapid.IntRange(0, 3).Draw(r.t, "what")
	if len(ids) == 0 || what == 0 {
		n := models.Notification{ID: storetest.ID(), UserID: r.user, Title: "t", CreatedAt: r.tx.Now()}
		r.tx.InsertNotification(n)
		r.m.notes[n.ID] = n
		return nil
	}
	if what == 1 {
		for id, n := range r.m.notes {
			n.Read = true
			r.m.notes[id] = n
		}
		_, err := r.tx.MarkAllRead()
		return err
	}
	n, err := r.tx.Notification(rapid.SampledFrom(ids).Draw(r.t, "notification"))
	if diff := cmp.Diff(r.m.notes[n.ID], n); diff != "" || err != nil {
		return fmt.Errorf("notification: %w (-model +got):\n%s", err, diff)
	}
	if what == 2 {
		r.tx.MarkRead(n)
		n.Read = true
		r.m.notes[n.ID] = n
	} else {
		r.tx.DeleteNotification(n)
		delete(r.m.notes, n.ID)
	}
	return nil
}

// A failer is a test of any kind.
type failer interface {
	Fatalf(format string, args ...any)
}

// totals folds the model's expenses, in the account's currency and beside it.
func (m model) totals() (own models.CurrencyTotal, others []models.CurrencyTotal) {
	var all models.Totals
	for _, e := range m.expenses {
		all = all.With(e.Currency, e.Type, e.Amount, 1)
	}
	return all.ForAccount(m.user().Currency())
}

func compareMoney(rt failer, s *store.Store, user string, m model) {
	own, others := m.totals()
	u, err := s.UserByID(context.Background(), user)
	b := u.Balance()
	if b.CurrencyTotal != own || !slices.Equal(b.Others, others) || u.Settings() != m.settings || err != nil {
		rt.Fatalf("balance %+v, %v, want %v and %v", b, err, own, others)
	}
	now := time.Now()
	from, to := models.DayRef{At: now.AddDate(0, 0, -99)}, models.DayRef{At: now.AddDate(0, 0, 99)}
	d, err := s.Dashboard(context.Background(), user, from, to)
	if d.CurrencyTotal != own || !slices.Equal(d.Others, others) || err != nil {
		rt.Fatalf("dashboard %+v, %v, want %v and %v", d, err, own, others)
	}
	reports, err := s.BudgetStates(context.Background(), user, now)
	if len(reports) != len(m.budgets) || err != nil {
		rt.Fatalf("%d budgets, %v, want %d", len(reports), err, len(m.budgets))
	}
	for _, r := range reports {
		if want := spent(m, r.Budget, now); r.Spent != want || r.Budget != m.budgets[r.Budget.ID] {
			rt.Fatalf("budget %+v, want %v spent", r, want)
		}
	}
}

func compareNotes(rt *rapid.T, s *store.Store, user string, m model) {
	unread := map[bool]int64{}
	for _, n := range m.notes {
		unread[!n.Read]++
	}
	found, total, err := s.Notifications(context.Background(), user, 1, 1000, false)
	if int(total) != len(m.notes) || len(found) != len(m.notes) || err != nil {
		rt.Fatalf("%d of %d notifications, %v, want %d", len(found), total, err, len(m.notes))
	}
	for _, n := range found {
		if diff := cmp.Diff(m.notes[n.ID], n); diff != "" {
			rt.Fatalf("notification (-model +got):\n%s", diff)
		}
	}
	if u, err := s.UserByID(context.Background(), user); u.Unread != unread[true] || err != nil {
		rt.Fatalf("%d unread, %v, want %d", u.Unread, err, unread[true])
	}
}

// TestTheLogKeepsEveryKind holds what a change of each kind reads back as.
func TestTheLogKeepsEveryKind(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		at := models.Millis(time.Now())
		e := expense(u.ID)
		b := models.Budget{
			ID: storetest.ID(), UserID: u.ID, Name: "Essen \"1\" 🍜", Category: "food", Amount: 1, Period: models.Weekly,
			Start: at, StartDay: 20_000, Threshold: 80, Version: 3, CreatedAt: at, UpdatedAt: at,
		}
		state := models.BudgetState{
			Budget: b, From: 20_000, To: 20_007, Currency: "USD", Spent: models.Sum{Units: 9e15, Micros: 5},
			Level: models.LevelExceeded, Active: true,
		}
		n := models.Notification{
			ID: storetest.ID(), UserID: u.ID, Title: "t", Message: "<m>", Type: models.NotifyBudget, Priority: models.PriorityHigh,
			Data: []byte(`{"spent":9000000000000000.000005}`), CreatedAt: at,
		}
		want := []models.Change{
			{Kind: models.ExpenseCreated, EntityID: e.ID, Expense: e, Author: models.Author{DeviceID: "d", TokenID: "j"}},
			{Kind: models.BudgetCreated, EntityID: b.ID, Budget: &b},
			{Kind: models.BudgetAlerted, EntityID: b.ID, Alert: &models.BudgetAlert{State: state}},
			{Kind: models.NotificationCreated, EntityID: n.ID, Notification: &n},
			{Kind: models.NotificationRead},
			{Kind: models.SettingsChanged, Settings: &models.Settings{Zone: "Asia/Kolkata", Currency: "USD"}},
			{Kind: "of_the_future", EntityID: "x"},
		}
		write(t, s, u.ID, func(tx *store.Tx) {
			for i := range want {
				tx.Append(want[i])
				want[i].UserID, want[i].Seq, want[i].At = u.ID, int64(i+1), tx.Now()
			}
			want[0].ActorID = u.ID
			tx.InsertExpense(e)
		})
		same(t, "the log", want, must(s.Changes(t.Context(), u.ID, 0, 10))(t))
	})
}

// TestATotalTooLargeIsRefused takes back what it counted.
func TestATotalTooLargeIsRefused(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		if err := s.Exec(t.Context(), `UPDATE users SET totals = '{"EUR": [0, 0, 2305843009213693950, 0, 5]}'`); err != nil {
			t.Fatal(err)
		}
		e := expense(u.ID)
		e.Amount = models.MaxAmount
		write(t, s, u.ID, func(tx *store.Tx) {
			err := tx.Attempt(func() error { tx.InsertExpense(e); return nil })
			if models.KindOf(err) != models.Invalid {
				t.Errorf("one that is too much: %v", err)
			}
			e.Amount = 1_000_000
			tx.InsertExpense(e)
		})
		same(t, "expenses", int64(1), must(s.Count(t.Context(), "expenses"))(t))
		same(t, "the total", "2305843009213693951", must(s.UserByID(t.Context(), u.ID))(t).Totals.Of("EUR").Expense.String())
	})
}

func TestDaysOfADashboard(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		now := time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)
		o.Now = func() time.Time { return now }
		s := storetest.Open(t, o)
		u := storetest.User(t, s)
		day := func(month time.Month, day int) models.Day { return models.Date(2026, month, day) }
		on := func(month time.Month, d int) models.DayRef { return models.DayRefOf(day(month, d)) }
		open, moment := models.DayRef{}, models.DayRef{At: day(2, 3).Time().Add(time.Hour)}
		for _, tt := range []struct {
			from, to    models.DayRef
			first, last models.Day
		}{
			{open, open, day(11, 1), day(11, 30)},
			{moment, open, day(2, 3), day(2, 28)},
			{open, moment, day(2, 1), day(2, 3)},
			{moment, on(2, 3), day(2, 3), day(2, 3)},
		} {
			d := must(s.Dashboard(t.Context(), u.ID, tt.from, tt.to))(t)
			if d.From != tt.first || d.To != tt.last {
				t.Errorf("%v to %v is %s to %s", tt.from, tt.to, d.From, d.To)
			}
		}
		if _, err := s.Dashboard(t.Context(), u.ID, on(2, 4), moment); models.KindOf(err) != models.Invalid {
			t.Errorf("reversed days: %v", err)
		}
		if _, err := s.Dashboard(t.Context(), storetest.ID(), open, open); models.KindOf(err) != models.NotFound {
			t.Errorf("nobody's dashboard: %v", err)
		}
	})
}

// TestDatesBefore1970HaveTheirDay holds the migration's and the program's idea
// of a day together, where a remainder is negative.
func TestDatesBefore1970HaveTheirDay(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		at := time.Date(1969, time.December, 30, 23, 59, 59, 999e6, time.UTC)
		e := expense(u.ID)
		e.Date, e.Day, e.Currency = at, models.Date(1969, time.December, 30), ""
		write(t, s, u.ID, func(tx *store.Tx) { tx.InsertExpense(e) })
		d := must(s.Dashboard(t.Context(), u.ID, models.DayRef{At: at}, models.DayRefOf(e.Day)))(t)
		if d.Count != 1 || len(d.Series) != 1 || d.Series[0].Day != e.Day || len(d.Recent) != 1 {
			t.Errorf("its day is %+v", d)
		}
	})
}

func TestPruneForgetsOldNotifications(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		clock := models.Millis(time.Now()).AddDate(0, 0, -100)
		o.Now = func() time.Time { return clock }
		s := storetest.Open(t, o)
		u := storetest.User(t, s)
		notify := func(read bool) {
			write(t, s, u.ID, func(tx *store.Tx) {
				n := models.Notification{ID: storetest.ID(), UserID: u.ID, CreatedAt: tx.Now()}
				tx.InsertNotification(n)
				if read {
					tx.MarkRead(n)
				}
			})
		}
		notify(false)
		notify(true)
		notify(false)
		clock = clock.AddDate(0, 0, 100)
		notify(false)
		before := clock.AddDate(0, 0, -90)
		same(t, "forgotten, with a limit", int64(2), must(s.Prune(t.Context(), before, 2))(t))
		same(t, "the rest", int64(1), must(s.Prune(t.Context(), before, 2))(t))
		same(t, "nothing more", int64(0), must(s.Prune(t.Context(), before, 2))(t))
		same(t, "notifications", int64(1), must(s.Count(t.Context(), "notifications"))(t))
		same(t, "unread", int64(1), must(s.UserByID(t.Context(), u.ID))(t).Unread)
		log := must(s.Changes(t.Context(), u.ID, 0, 10))(t)
		if len(log) != 2 || log[0].Kind != models.NotificationDeleted {
			t.Errorf("the log is %+v", log)
		}
	})
}

// TestAReaderLocksNobodyOut writes while a dashboard is being read.
func TestAReaderLocksNobodyOut(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		err := s.HeadsAtOneMoment(t.Context(), func(head func() int64) {
			before := head()
			write(t, s, u.ID, func(tx *store.Tx) { tx.Append(models.Change{Kind: models.NotificationRead}) })
			if after := head(); after != before {
				t.Errorf("the reader sees %d, then %d", before, after)
			}
		}, u.ID)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the head", int64(1), must(s.Head(t.Context(), u.ID))(t))
	})
}

// TestExistingExpensesAreCounted migrates a database of the release before.
func TestExistingExpensesAreCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		s := storetest.Open(t, o)
		alice, bob := storetest.User(t, s), storetest.User(t, s)
		now := models.Millis(time.Now())
		m := newModel()
		for i, amount := range []models.Money{models.MaxAmount, models.MaxAmount, 999_999, 1, 12_345_678} {
			e := expense(alice.ID)
			e.Amount, e.Type = amount, models.Types[i%2]
			e.Date = now.AddDate(0, 0, -i)
			e.Day, e.Currency = models.DayOf(e.Date, time.UTC), []string{"", "INR", "USD"}[i%3]
			m.expenses[e.ID] = e
		}
		old := expense(bob.ID)
		old.Date = time.Date(1969, time.December, 30, 23, 59, 59, 999e6, time.UTC)
		old.Day, old.Currency = models.DayOf(old.Date, time.UTC), ""
		write(t, s, alice.ID, func(tx *store.Tx) {
			for _, e := range m.expenses {
				tx.InsertExpense(e)
			}
		})
		write(t, s, bob.ID, func(tx *store.Tx) { tx.InsertExpense(old) })
		if err := s.MigrateDownTo(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}

		s = storetest.Open(t, o)
		m.settings.Name = alice.Name
		compareMoney(t, s, alice.ID, m)
		d := must(s.Dashboard(t.Context(), bob.ID, models.DayRefOf(old.Day), models.DayRefOf(old.Day)))(t)
		if d.Count != 1 || d.Expense.String() != "12.345" {
			t.Errorf("a day before 1970: %+v", d)
		}
		e := must(s.ExpenseOf(t.Context(), bob.ID, old.ID))(t)
		write(t, s, bob.ID, func(tx *store.Tx) {
			if _, err := tx.Expense(e.ID); err != nil {
				t.Fatal(err)
			}
			if err := tx.DeleteExpense(e); err != nil {
				t.Error(err)
			}
		})
		if u := must(s.UserByID(t.Context(), bob.ID))(t); len(u.Totals) != 0 {
			t.Errorf("after its deletion: %+v", u)
		}
	})
}

// TestMigratedBudgetsCountTheirCurrencyAndAlertNobody migrates a budget that counted
// dollars and rupees alike.
func TestMigratedBudgetsCountTheirCurrencyAndAlertNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		s := storetest.Open(t, o)
		u := storetest.User(t, s)
		rupees, dollars := expense(u.ID), expense(u.ID)
		rupees.Currency, rupees.Amount, dollars.Currency, dollars.Amount = "", 85_000_000, "USD", 40_000_000
		rupees.Tags, dollars.Tags = "", "" // which that release did not have
		b := models.BudgetDraft{Name: "b", Category: "food", Amount: 100_000_000, Start: rupees.Date}.Budget(time.UTC)
		b.ID, b.UserID, b.CreatedAt, b.UpdatedAt = storetest.ID(), u.ID, rupees.Date, rupees.Date
		write(t, s, u.ID, func(tx *store.Tx) {
			tx.InsertExpense(rupees)
			tx.InsertExpense(dollars)
			tx.InsertBudget(b)
			must(tx.EvaluateBudgets())(t)
		})
		if err := s.MigrateDownTo(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		if err := s.Exec(t.Context(), "UPDATE budgets SET spent_units = 125, level = 2"); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}

		s = storetest.Open(t, o)
		got := must(s.BudgetOf(t.Context(), u.ID, b.ID, time.Now()))(t)
		same(t, "the budget", b, got.Budget)
		same(t, "beside it", []models.CurrencySum{{Currency: "USD", Sum: models.Sum{Units: 40}}}, got.Others)
		same(t, "the expense", rupees, must(s.ExpenseOf(t.Context(), u.ID, rupees.ID))(t))
		write(t, s, u.ID, func(tx *store.Tx) {
			r := must(tx.EvaluateBudgets())(t)[0]
			if r.Spent != (models.Sum{Units: 85}) || r.Level != models.LevelThreshold || r.Known != models.LevelThreshold {
				t.Errorf("it stands at %+v", r)
			}
		})
	})
}
