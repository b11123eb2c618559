package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// noon is on a Saturday: weeks begin on the 15th and the 22nd.
var noon = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

// A budgetFixture is a fixture whose clock a test sets.
type budgetFixture struct {
	*fixture
	now time.Time
}

// eachBudgetFixture runs a test on both engines, at noon.
func eachBudgetFixture(t *testing.T, o ledger.Options, test func(p *budgetFixture)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		p := &budgetFixture{now: noon}
		so := options(t)
		so.Now = func() time.Time { return p.now }
		s := storetest.Open(t, so)
		p.fixture = &fixture{t: t, store: s, user: storetest.User(t, s), Ledger: ledger.New(s, nil, o)}
		test(p)
	})
}

// spend stores an expense of food at a date.
func (p *budgetFixture) spend(amount string, at time.Time) models.Expense {
	p.t.Helper()
	m, err := models.ParseMoney(amount)
	if err != nil {
		p.t.Fatal(err)
	}
	d := lunch()
	d.Amount, d.Date = m, &at
	return p.create(ledger.ExpenseCreation{Draft: d})
}

func (p *budgetFixture) edit(e models.Expense, patch models.Patch) {
	p.t.Helper()
	if _, err := p.UpdateExpense(p.t.Context(), p.user.ID, e.ID, nil, patch, models.Author{}); err != nil {
		p.t.Fatal(err)
	}
}

// createBudget creates a monthly budget of 100 for food.
func (p *budgetFixture) createBudget(change func(*models.BudgetDraft)) models.Budget {
	p.t.Helper()
	d := models.BudgetDraft{Name: "Food", Category: "food", Amount: 100_000_000}
	if change != nil {
		change(&d)
	}
	b, err := p.CreateBudget(p.t.Context(), p.user.ID, ledger.BudgetCreation{Draft: d})
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

func (p *budgetFixture) updateBudget(b models.Budget, patch models.BudgetPatch) models.Budget {
	p.t.Helper()
	b, err := p.UpdateBudget(p.t.Context(), p.user.ID, b.ID, nil, patch, models.Author{})
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

// alerts are the alerts so far, as "spent of amount".
func (p *budgetFixture) alerts() []string {
	p.t.Helper()
	var told []string
	for _, c := range p.log() {
		if c.Kind == models.BudgetAlerted {
			told = append(told, fmt.Sprintf("%s of %s", c.Alert.State.Spent, c.Alert.State.Budget.Amount))
		}
	}
	return told
}

func (p *budgetFixture) wantAlerts(what string, want ...string) {
	p.t.Helper()
	if diff := cmp.Diff(want, p.alerts(), cmpopts.EquateEmpty()); diff != "" {
		p.t.Errorf("%s: alerts (-want +got):\n%s", what, diff)
	}
}

func TestEachLevelIsAlertedOnce(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		b := p.createBudget(nil)
		p.spend("79.999999", noon)
		p.wantAlerts("just below the threshold")
		p.spend("0.01", noon)
		p.wantAlerts("above the threshold", "80.009999 of 100")
		p.spend("19.99", noon)
		p.wantAlerts("nearly all", "80.009999 of 100")
		e := p.spend("0.01", noon)
		p.wantAlerts("over", "80.009999 of 100", "100.009999 of 100")
		p.spend("50", noon)
		p.wantAlerts("far over", "80.009999 of 100", "100.009999 of 100")
		ns, total, err := p.store.Notifications(p.t.Context(), p.user.ID, 1, 10, false)
		if err != nil || total != 2 {
			t.Fatalf("%d notifications, %v", total, err)
		}
		want := []models.Notification{{
			ID: ns[0].ID, UserID: p.user.ID, Title: "Budget exceeded", Type: "budget_alert", Priority: "critical",
			Message: `You have spent 100.009999 of 100 in your budget "Food", 0.009999 more than planned.`,
			Data: []byte(`{"budgetId":"` + b.ID + `","budgetName":"Food","category":"food","spent":100.009999,"amount":100,"currency":"INR",` +
				`"percentage":100.009999,"isOverBudget":true}`),
			CreatedAt: e.CreatedAt,
		}, {
			ID: ns[1].ID, UserID: p.user.ID, Title: "Budget nearly used up", Type: "budget_alert", Priority: "high",
			Message:   `You have spent 80.009999 of 100 in your budget "Food", which is 80 % of it.`,
			Data:      ns[1].Data,
			CreatedAt: ns[1].CreatedAt,
		}}
		if diff := cmp.Diff(want, ns); diff != "" {
			t.Errorf("notifications (-want +got):\n%s", diff)
		}
	})
}

func TestALeapIsOneAlert(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		p.createBudget(nil)
		p.spend("500", noon)
		p.wantAlerts("from none to over", "500 of 100")
	})
}

func TestExactlyAllIsNotOver(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		p.createBudget(func(d *models.BudgetDraft) { d.Threshold = ptr(100) })
		p.spend("99.99", noon)
		p.wantAlerts("99.99 %")
		p.spend("0.01", noon)
		p.wantAlerts("100 %", "100 of 100")
		if data := p.notified(); !strings.Contains(data, `"isOverBudget":false`) {
			t.Errorf("at 100 %% the notification says %s", data)
		}
	})
}

// notified is the newest notification's data.
func (p *budgetFixture) notified() string {
	p.t.Helper()
	ns, _, err := p.store.Notifications(p.t.Context(), p.user.ID, 1, 1, false)
	if err != nil || len(ns) != 1 {
		p.t.Fatalf("notifications %v, %v", ns, err)
	}
	return string(ns[0].Data)
}

func TestWhatFallsIsArmedAgain(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		p.createBudget(nil)
		e := p.spend("120", noon)
		p.edit(e, models.Patch{Amount: ptr(models.Money(90_000_000))})
		p.wantAlerts("down to the threshold", "120 of 100")
		p.edit(e, models.Patch{Amount: ptr(models.Money(110_000_000))})
		p.wantAlerts("over again", "120 of 100", "110 of 100")
		p.edit(e, models.Patch{Category: ptr("other")})
		p.edit(e, models.Patch{Category: ptr("food"), Amount: ptr(models.Money(85_000_000))})
		p.wantAlerts("back by its category", "120 of 100", "110 of 100", "85 of 100")
		p.edit(e, models.Patch{Type: ptr("income")})
		p.edit(e, models.Patch{Type: ptr("expense")})
		p.wantAlerts("back by its type", "120 of 100", "110 of 100", "85 of 100", "85 of 100")
		p.edit(e, models.Patch{Date: ptr(noon.AddDate(0, -1, 0))})
		p.edit(e, models.Patch{Date: &noon})
		p.wantAlerts("back by its date", "120 of 100", "110 of 100", "85 of 100", "85 of 100", "85 of 100")
		if _, err := p.DeleteExpense(p.t.Context(), p.user.ID, e.ID, models.Author{}); err != nil {
			t.Fatal(err)
		}
		p.spend("101", noon)
		p.wantAlerts("another after it was deleted", "120 of 100", "110 of 100", "85 of 100", "85 of 100", "85 of 100", "101 of 100")
	})
}

func TestOnlyThePresentPeriodAlerts(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		p.createBudget(nil)
		p.spend("500", noon.AddDate(0, -1, 0))
		e := p.spend("100", time.Date(2026, time.December, 1, 0, 0, 0, 0, time.UTC))
		p.wantAlerts("in other months")
		p.spend("90", time.Date(2026, time.November, 30, 23, 59, 59, 0, time.UTC))
		p.wantAlerts("this month", "90 of 100")
		p.now = time.Date(2026, time.December, 5, 9, 0, 0, 0, time.UTC)
		p.edit(e, models.Patch{Notes: ptr("due now")})
		p.wantAlerts("the new month's, with its first change", "90 of 100", "100 of 100")
		p.spend("1", p.now)
		p.wantAlerts("over in the new month", "90 of 100", "100 of 100", "101 of 100")
	})
}

func TestWeeksBeginOnSunday(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		p.createBudget(func(d *models.BudgetDraft) { d.Period = models.Weekly })
		p.spend("100", time.Date(2026, time.November, 14, 23, 0, 0, 0, time.UTC))
		p.wantAlerts("the last of the week before")
		p.spend("100", time.Date(2026, time.November, 15, 0, 0, 0, 0, time.UTC))
		p.wantAlerts("the first of this week", "100 of 100")
		p.now = time.Date(2026, time.November, 22, 0, 0, 0, 0, time.UTC)
		p.spend("85", p.now)
		p.wantAlerts("the next week", "100 of 100", "85 of 100")
	})
}

func TestABudgetsOwnChangesAlert(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		p.spend("90", noon)
		b := p.createBudget(nil)
		p.wantAlerts("a new one", "90 of 100")
		b = p.updateBudget(b, models.BudgetPatch{Name: ptr("Essen"), Threshold: ptr(70)})
		p.wantAlerts("renamed", "90 of 100")
		b = p.updateBudget(b, models.BudgetPatch{Amount: ptr(models.Money(80_000_000))})
		p.wantAlerts("lowered", "90 of 100", "90 of 80")
		b = p.updateBudget(b, models.BudgetPatch{Amount: ptr(models.Money(1_000_000_000))})
		b = p.updateBudget(b, models.BudgetPatch{Amount: ptr(models.Money(50_000_000))})
		p.wantAlerts("raised and lowered", "90 of 100", "90 of 80", "90 of 50")
		b = p.updateBudget(b, models.BudgetPatch{Category: ptr(models.AllCategories)})
		p.wantAlerts("of another category", "90 of 100", "90 of 80", "90 of 50", "90 of 50")
		b = p.updateBudget(b, models.BudgetPatch{Start: ptr(noon.AddDate(0, 0, -5))})
		p.wantAlerts("beginning later", "90 of 100", "90 of 80", "90 of 50", "90 of 50")
		b = p.updateBudget(b, models.BudgetPatch{Start: ptr(noon.AddDate(0, 0, 1))})
		p.spend("90", noon.AddDate(0, 0, 2))
		p.wantAlerts("before its beginning", "90 of 100", "90 of 80", "90 of 50", "90 of 50")
		if _, err := p.DeleteBudget(p.t.Context(), p.user.ID, b.ID, models.Author{}); err != nil {
			t.Fatal(err)
		}
		p.now = noon.AddDate(0, 0, 2)
		p.spend("90", p.now)
		p.wantAlerts("deleted", "90 of 100", "90 of 80", "90 of 50", "90 of 50")
	})
}

func TestEachBudgetAlertsForItself(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		p.createBudget(nil)
		p.createBudget(func(d *models.BudgetDraft) { d.Category, d.Amount = models.AllCategories, 200_000_000 })
		p.createBudget(func(d *models.BudgetDraft) { d.Category = "transport" })
		p.spend("170", noon)
		p.wantAlerts("of food and of all", "170 of 100", "170 of 200")
	})
}

// Alerts are neither lost nor repeated with concurrent writers.
func TestConcurrentWritersAlertOnce(t *testing.T) {
	each(t, func(h *fixture) {
		p := &budgetFixture{fixture: h, now: time.Now()}
		p.createBudget(nil) // 100, and 40 writers bring 3 each
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 10 {
					d := lunch()
					d.Amount = 3_000_000
					if _, err := h.CreateExpense(h.t.Context(), h.user.ID, ledger.ExpenseCreation{Draft: d}); err != nil {
						h.t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		p.wantAlerts("of 40 times 3", "81 of 100", "102 of 100")
	})
}

func TestARefusedBudgetLeavesNothing(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		ctx, other := p.t.Context(), storetest.User(p.t, p.store)
		b := p.createBudget(nil)
		before := len(p.log())
		for name, err := range map[string]error{
			"zero":     p.refuse(func(d *models.BudgetDraft) { d.Amount = 0 }),
			"negative": p.refuse(func(d *models.BudgetDraft) { d.Amount = -1 }),
			"absurd":   p.refuse(func(d *models.BudgetDraft) { d.Amount = models.MaxAmount + 1 }),
			"reversed": p.refuse(func(d *models.BudgetDraft) { d.Start, d.End = noon, noon.AddDate(0, 0, -1) }),
			"period":   p.refuse(func(d *models.BudgetDraft) { d.Period = "daily" }),
			"category": p.refuse(func(d *models.BudgetDraft) { d.Category = "rent" }),
			"edit": second(p.UpdateBudget(ctx, p.user.ID, b.ID, nil, models.BudgetPatch{Amount: ptr(models.Money(0))},
				models.Author{})),
			"edit of end": second(p.UpdateBudget(ctx, p.user.ID, b.ID, nil,
				models.BudgetPatch{Start: &noon, End: ptr(noon.AddDate(0, 0, -1))}, models.Author{})),
		} {
			if !errors.As(err, new(*models.InvalidError)) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, err := range map[string]error{
			"foreign edit":   second(p.UpdateBudget(ctx, other.ID, b.ID, nil, models.BudgetPatch{Name: ptr("mine")}, models.Author{})),
			"foreign delete": second(p.DeleteBudget(ctx, other.ID, b.ID, models.Author{})),
			"unknown":        second(p.DeleteBudget(ctx, p.user.ID, "x\x00", models.Author{})),
			"foreign look":   second(p.store.BudgetOf(ctx, other.ID, b.ID, noon)),
			"odd look":       second(p.store.BudgetOf(ctx, p.user.ID, "x\x00", noon)),
		} {
			if models.KindOf(err) != models.NotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		stored, err := p.store.BudgetStates(ctx, p.user.ID, noon)
		if err != nil || len(stored) != 1 || stored[0].Budget != b {
			t.Errorf("%v, budgets are %+v, want %+v", err, stored, b)
		}
		if after := len(p.log()); after != before {
			t.Errorf("%d changes more", after-before)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func (p *budgetFixture) refuse(change func(*models.BudgetDraft)) error {
	d := models.BudgetDraft{Name: "b", Category: "food", Amount: 1}
	change(&d)
	return second(p.CreateBudget(p.t.Context(), p.user.ID, ledger.BudgetCreation{Draft: d}))
}

func TestANewerBudgetIsNotOverwritten(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		b := p.createBudget(nil)
		newer := p.updateBudget(b, models.BudgetPatch{Name: ptr("newer")})
		_, err := p.UpdateBudget(p.t.Context(), p.user.ID, b.ID, &b.Version, models.BudgetPatch{Name: ptr("older")}, models.Author{})
		var conflict *models.ConflictError
		if !errors.As(err, &conflict) || conflict.Budget == nil || *conflict.Budget != newer {
			t.Errorf("the error is %v with %+v, want %+v", err, conflict, newer)
		}
	})
}

func TestARepeatedRequestMakesOneBudget(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		ctx := p.t.Context()
		c := ledger.BudgetCreation{RequestID: "r1", Draft: models.BudgetDraft{Name: "b", Category: "food", Amount: 1}}
		first, err := p.CreateBudget(ctx, p.user.ID, c)
		if err != nil {
			t.Fatal(err)
		}
		p.updateBudget(first, models.BudgetPatch{Name: ptr("renamed")})
		again, err := p.CreateBudget(ctx, p.user.ID, c)
		if diff := cmp.Diff(first, again); err != nil || diff != "" {
			t.Errorf("%v, the repetition gives (-first +again):\n%s", err, diff)
		}
		if n := len(p.log()); n != 2 {
			t.Errorf("%d changes", n)
		}
		c.Draft.Amount = 2
		_, err = p.CreateBudget(ctx, p.user.ID, c)
		var e *models.Error
		if !errors.As(err, &e) || e.Code != ledger.CodeKeyReused {
			t.Errorf("other data under the same name: %v", err)
		}
		_, err = p.CreateExpense(ctx, p.user.ID, ledger.ExpenseCreation{RequestID: "r1", Draft: lunch()})
		if !errors.As(err, &e) || e.Code != ledger.CodeKeyReused {
			t.Errorf("an expense under the same name: %v", err)
		}
	})
}

func TestThereAreOnlySoManyBudgets(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		for range models.MaxBudgets {
			p.createBudget(nil)
		}
		err := p.refuse(func(*models.BudgetDraft) {})
		var e *models.Error
		if !errors.As(err, &e) || e.Code != ledger.CodeBudgetLimit || e.Kind != models.Invalid {
			t.Errorf("one more: %v", err)
		}
	})
}
