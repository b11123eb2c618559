package reconcile_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"expenseflow/internal/ledger"
	"expenseflow/internal/reconcile"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// A moneyModel computes the alerts that a user must have received. It sums up all expenses
// after each transaction and stores the last alerted level of each budget.
type moneyModel struct {
	h       *fixture
	t       *rapid.T
	budgets map[string]models.Budget
	known   map[string]budgetModel
	user    models.User // their settings alone
	alerts  []alert     // what must have been told, in order
	heard   int         // changes of the log that were looked at
	ops     int64       // operations made so far
}

type budgetModel struct {
	category string
	period   models.Period
	round    models.Day
	level    models.Level
}

type alert struct {
	Budget string
	Level  models.Level
}

var someAmounts = []models.Money{1, 500_000, 1_000_000, 3_333_333, 8_000_000, 10_000_000, 25_500_000}

// amount draws one that an expense may have.
func (k *moneyModel) amount() models.Money {
	return max(rapid.SampledFrom(someAmounts).Draw(k.t, "amount"), models.MinAmount)
}

func (k *moneyModel) category() string {
	return rapid.SampledFrom([]string{"food", "transport"}).Draw(k.t, "category")
}

func (k *moneyModel) currency() string {
	return rapid.SampledFrom([]string{"", "INR", "USD", "EUR"}).Draw(k.t, "currency")
}

// zone is the account's.
func (k *moneyModel) zone() *time.Location { return k.user.Zone(time.UTC) }

// choose changes the account's currency or its zone.
func (k *moneyModel) choose() {
	p := models.SettingsPatch{Currency: ptr(rapid.SampledFrom([]string{"INR", "USD"}).Draw(k.t, "account currency"))}
	if rapid.Bool().Draw(k.t, "zone") {
		p = models.SettingsPatch{Zone: ptr(rapid.SampledFrom([]string{"UTC", "America/Los_Angeles", "Pacific/Auckland"}).Draw(k.t,
			"account zone"))}
	}
	_, err := k.h.ledger.ChangeSettings(k.h.t.Context(), k.h.user.ID, p, models.Author{})
	k.must(err)
}

func (k *moneyModel) kind() string {
	return rapid.SampledFrom([]string{"expense", "expense", "expense", "income"}).Draw(k.t, "type")
}

// date draws one near the clock, in its period or in another.
func (k *moneyModel) date() time.Time {
	days := rapid.SampledFrom([]int{0, 0, 0, -1, 1, -8, 8, -35, 35}).Draw(k.t, "days off")
	return k.h.clock().AddDate(0, 0, days)
}

func (k *moneyModel) create() {
	date := k.date()
	d := models.Draft{
		Description: "x", Amount: k.amount(), Category: k.category(), Type: k.kind(), Date: &date,
		Currency: k.currency(),
	}
	if rapid.Bool().Draw(k.t, "its own day") {
		d.Day = ptr(models.DayOf(date, time.UTC) + models.Day(rapid.IntRange(0, 1).Draw(k.t, "later")))
	}
	_, err := k.h.ledger.CreateExpense(k.h.t.Context(), k.h.user.ID, ledger.ExpenseCreation{Draft: d})
	k.must(err)
}

func (k *moneyModel) must(err error) {
	if err != nil {
		k.t.Fatal(err)
	}
}

// patch draws an edit of one field.
func (k *moneyModel) patch() models.Patch {
	switch rapid.IntRange(0, 5).Draw(k.t, "field") {
	case 5:
		return models.Patch{Currency: ptr(k.currency())}
	case 0:
		return models.Patch{Amount: ptr(k.amount())}
	case 1:
		return models.Patch{Category: ptr(k.category())}
	case 2:
		return models.Patch{Type: ptr(k.kind())}
	case 3:
		return models.Patch{Date: ptr(k.date())}
	}
	return models.Patch{Notes: ptr("y")}
}

// some draws one of the user's expenses, false if there is none.
func (k *moneyModel) some() (models.Expense, bool) {
	es := k.h.list()
	if len(es) == 0 {
		return models.Expense{}, false
	}
	return rapid.SampledFrom(es).Draw(k.t, "expense"), true
}

func (k *moneyModel) edit() {
	if e, ok := k.some(); ok {
		_, err := k.h.ledger.UpdateExpense(k.h.t.Context(), k.h.user.ID, e.ID, nil, k.patch(), models.Author{})
		k.must(err)
	}
}

func (k *moneyModel) remove() {
	if e, ok := k.some(); ok {
		_, err := k.h.ledger.DeleteExpense(k.h.t.Context(), k.h.user.ID, e.ID, models.Author{})
		k.must(err)
	}
}

// batch sends what a device queued, some of it bad, and then the same again.
func (k *moneyModel) batch() {
	var ops []models.Operation
	for range rapid.IntRange(1, 8).Draw(k.t, "operations") {
		ops = append(ops, k.operation())
	}
	first := k.h.apply(ops...)
	k.checkReads()
	if diff := gocmp.Diff(statuses(first), statuses(k.h.apply(ops...))); diff != "" {
		k.t.Fatalf("replay (-first +second):\n%s", diff)
	}
	for _, op := range k.h.pending() {
		k.checkReads()
		_, err := k.h.Retry(k.h.t.Context(), k.h.user.ID, models.Author{}, op.ID, k.json())
		k.must(err)
	}
}

// operation draws one about an expense that is there or that the batch made.
func (k *moneyModel) operation() models.Operation {
	k.ops++
	id := fmt.Sprint("temp_", rapid.IntRange(0, 2).Draw(k.t, "temporary id"))
	if e, ok := k.some(); ok && rapid.Bool().Draw(k.t, "stored") {
		id = e.ID
	}
	op := named(id, create(k.ops, string(k.json())))
	switch rapid.IntRange(0, 4).Draw(k.t, "action") {
	case 0:
		op = update(k.ops, id, fmt.Sprintf(`{"amount":%s}`, k.amount()))
	case 1:
		op = del(k.ops, id)
	case 2:
		op.Data = []byte(`{"description":"bad","amount":-1,"category":"food","type":"expense"}`)
	default:
		op.ResourceID = fmt.Sprint("temp_", rapid.IntRange(0, 2).Draw(k.t, "temporary id"))
	}
	return of(k.h.user.ID, op)
}

func (k *moneyModel) json() []byte {
	return fmt.Appendf(nil, `{"description":"b","amount":%s,"category":%q,"type":%q,"date":%d,"currency":%q}`,
		k.amount(), k.category(), k.kind(), k.date().UnixMilli(), k.currency())
}

func (k *moneyModel) delta() {
	k.ops++
	c := models.DeltaChange{Action: models.Create, LocalID: fmt.Appendf(nil, "%d", k.ops), Data: k.json(), Timestamp: &k.ops}
	_, err := k.h.Delta(k.h.t.Context(), k.h.user.ID, models.Author{}, []models.DeltaChange{c})
	k.must(err)
}

func (k *moneyModel) newBudget() {
	d := models.BudgetDraft{
		Name: "b", Amount: rapid.SampledFrom(someAmounts).Draw(k.t, "limit"),
		Category:  rapid.SampledFrom([]string{"food", "transport", models.AllCategories}).Draw(k.t, "of"),
		Period:    models.Period(rapid.SampledFrom(models.Periods).Draw(k.t, "period")),
		Threshold: ptr(rapid.SampledFrom([]int{1, 50, 80, 100}).Draw(k.t, "threshold")),
	}
	if rapid.Bool().Draw(k.t, "bounded") {
		d.Start, d.End = k.date(), k.date()
	}
	if d.End.Before(d.Start) {
		d.Start, d.End = d.End, d.Start
	}
	_, err := k.h.ledger.CreateBudget(k.h.t.Context(), k.h.user.ID, ledger.BudgetCreation{Draft: d})
	k.must(err)
}

func (k *moneyModel) someBudget() (models.Budget, bool) {
	if len(k.budgets) == 0 {
		return models.Budget{}, false
	}
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(k.budgets))).Draw(k.t, "budget")
	return k.budgets[id], true
}

func (k *moneyModel) editBudget() {
	b, ok := k.someBudget()
	if !ok {
		return
	}
	var p models.BudgetPatch
	switch rapid.IntRange(0, 4).Draw(k.t, "field") {
	case 0:
		p.Amount = ptr(rapid.SampledFrom(someAmounts).Draw(k.t, "limit"))
	case 1:
		p.Category = ptr(k.category())
	case 2:
		p.Period = ptr(models.Period(rapid.SampledFrom(models.Periods).Draw(k.t, "period")))
	case 3:
		p.Threshold = ptr(rapid.IntRange(models.MinThreshold, models.MaxThreshold).Draw(k.t, "threshold"))
	case 4:
		p.Start, p.End = &time.Time{}, ptr(k.date())
	}
	_, err := k.h.ledger.UpdateBudget(k.h.t.Context(), k.h.user.ID, b.ID, &b.Version, p, models.Author{})
	k.must(err)
}

func (k *moneyModel) dropBudget() {
	if b, ok := k.someBudget(); ok {
		_, err := k.h.ledger.DeleteBudget(k.h.t.Context(), k.h.user.ID, b.ID, models.Author{})
		k.must(err)
	}
}

// sleep lets time pass, perhaps into another period.
func (k *moneyModel) sleep() {
	hours := rapid.SampledFrom([]int{1, 24, 24 * 7, 24 * 31}).Draw(k.t, "hours")
	k.h.setClock(k.h.clock().Add(time.Duration(hours) * time.Hour))
}

// checkReads updates the model by the new transaction in the log. All changes of a
// transaction have the same time.
func (k *moneyModel) checkReads() {
	fresh := k.h.log()[k.heard:]
	k.heard += len(fresh)
	moved, chosen := false, false
	for _, c := range fresh {
		if !c.At.Equal(fresh[0].At) {
			k.t.Fatalf("changes of two transactions: %+v", fresh)
		}
		if c.Kind == models.BudgetDeleted {
			delete(k.budgets, c.EntityID)
			delete(k.known, c.EntityID)
		} else if c.Budget != nil {
			k.budgets[c.EntityID] = *c.Budget
		}
		if c.Settings != nil {
			k.user.ChosenZone, k.user.ChosenCurrency, chosen = c.Settings.Zone, c.Settings.Currency, true
		}
		moved = moved || c.Kind.IsExpense() || c.Budget != nil
	}
	if !moved && !chosen {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(k.budgets)) {
		k.expectAlert(k.budgets[id], fresh[0].At, moved)
	}
}

// expectAlert implements the rule for one budget in the simplest way. Changes of settings
// raise no alerts.
func (k *moneyModel) expectAlert(b models.Budget, now time.Time, alerts bool) {
	today := models.DayOf(now, k.zone())
	next := budgetModel{b.Category, b.Period, b.PeriodStart(today), models.LevelNone}
	if b.ActiveOn(today) {
		next.level = b.LevelOf(k.spent(b, today))
	}
	before := k.known[b.ID]
	if before.category != next.category || before.period != next.period || before.round != next.round {
		before.level = models.LevelNone
	}
	if next.level > before.level && alerts {
		k.alerts = append(k.alerts, alert{b.ID, next.level})
	}
	k.known[b.ID] = next
}

// spent adds up the expenses in a budget's window.
func (k *moneyModel) spent(b models.Budget, today models.Day) models.Sum {
	from, to := b.Window(today)
	return total(k.h.list(), func(e models.Expense) bool {
		return e.Type == "expense" && b.Covers(e.Category) && e.Day >= from && e.Day < to && k.own(e)
	})
}

// own reports whether an expense is in the account's currency.
func (k *moneyModel) own(e models.Expense) bool {
	return e.Currency == "" || e.Currency == k.user.Currency()
}

// total adds up without Sum.
func total(es []models.Expense, counts func(models.Expense) bool) models.Sum {
	sum := new(big.Int)
	for _, e := range es {
		if counts(e) {
			sum.Add(sum, big.NewInt(int64(e.Amount)))
		}
	}
	units, micros := new(big.Int).DivMod(sum, big.NewInt(1_000_000), new(big.Int))
	return models.Sum{Units: units.Int64(), Micros: micros.Int64()}
}

func typed(kind string) func(models.Expense) bool {
	return func(e models.Expense) bool { return e.Type == kind }
}

// check compares all stored figures with a new computation.
func (k *moneyModel) check() {
	k.checkAlerts()
	k.checkBudgets()
	k.checkBalance()
	k.checkDashboard()
}

func (k *moneyModel) checkAlerts() {
	var told, noted []alert
	for _, c := range k.h.log() {
		switch c.Kind {
		case models.BudgetAlerted:
			told = append(told, alert{c.EntityID, c.Alert.State.Level})
		case models.NotificationCreated:
			last := told[len(told)-1] // each alert's notification follows it
			if c.Notification.Type != models.NotifyBudget || c.Notification.Priority != priority(last.Level) {
				k.t.Fatalf("after alert %+v comes %+v", last, c.Notification)
			}
			noted = append(noted, last)
		}
	}
	if diff := gocmp.Diff(k.alerts, told); diff != "" {
		k.t.Fatalf("alerts (-want +told):\n%s", diff)
	}
	ns, n, err := k.h.store.Notifications(k.h.t.Context(), k.h.user.ID, 1, 1000, true)
	k.must(err)
	u, err := k.h.store.UserByID(k.h.t.Context(), k.h.user.ID)
	k.must(err)
	if len(ns) != len(told) || int(n) != len(told) || int(u.Unread) != len(told) || len(noted) != len(told) {
		k.t.Fatalf("%d alerts, %d in the log with a notification, %d (of %d) stored, %d unread", len(told), len(noted), len(ns), n,
			u.Unread)
	}
}

func priority(l models.Level) string {
	if l == models.LevelExceeded {
		return models.PriorityCritical
	}
	return models.PriorityHigh
}

func (k *moneyModel) checkBudgets() {
	now := k.h.clock()
	states, err := k.h.store.BudgetStates(k.h.t.Context(), k.h.user.ID, now)
	k.must(err)
	today := models.DayOf(now, k.zone())
	want := []models.BudgetReport{}
	for _, b := range slices.Backward(slices.SortedFunc(maps.Values(k.budgets), older)) {
		s := models.BudgetState{Budget: b, Currency: k.user.Currency(), Spent: k.spent(b, today), Active: b.ActiveOn(today)}
		s.From, s.To = b.Window(today)
		s.Level = b.LevelOf(s.Spent)
		want = append(want, models.BudgetReport{BudgetState: s, Others: k.otherCurrencies(&s)})
	}
	if diff := gocmp.Diff(want, states); diff != "" {
		k.t.Fatalf("budgets (-want +got):\n%s", diff)
	}
}

// otherCurrencies returns the expenses of a budget's days in other currencies.
func (k *moneyModel) otherCurrencies(s *models.BudgetState) (others []models.CurrencySum) {
	es := slices.DeleteFunc(k.h.list(), func(e models.Expense) bool {
		return k.own(e) || e.Type != "expense" || !s.Budget.Covers(e.Category) || e.Day < s.From || e.Day >= s.To
	})
	for _, code := range currencies(es) {
		others = append(others, models.CurrencySum{Currency: code, Sum: total(es, in(code))})
	}
	return others
}

func in(currency string) func(models.Expense) bool {
	return func(e models.Expense) bool { return e.Currency == currency }
}

// currencies are those of expenses, in order.
func currencies(es []models.Expense) []string {
	codes := map[string]bool{}
	for _, e := range es {
		codes[e.Currency] = true
	}
	return slices.Sorted(maps.Keys(codes))
}

// split returns the expenses in the account's currency, and the totals of the others.
func (k *moneyModel) split(es []models.Expense) (own []models.Expense, others []models.CurrencyTotal) {
	own = slices.DeleteFunc(slices.Clone(es), func(e models.Expense) bool { return !k.own(e) })
	es = slices.DeleteFunc(slices.Clone(es), k.own)
	for _, code := range currencies(es) {
		of := slices.DeleteFunc(slices.Clone(es), func(e models.Expense) bool { return e.Currency != code })
		others = append(others, models.CurrencyTotal{
			Currency: code, Income: total(of, typed("income")), Expense: total(of, typed("expense")), Count: int64(len(of)),
		})
	}
	return own, others
}

func older(a, b models.Budget) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
}

func (k *moneyModel) checkBalance() {
	u, err := k.h.store.UserByID(k.h.t.Context(), k.h.user.ID)
	k.must(err)
	es, others := k.split(k.h.list())
	want := models.Balance{CurrencyTotal: models.CurrencyTotal{
		Currency: k.user.Currency(), Income: total(es, typed("income")), Expense: total(es, typed("expense")), Count: int64(len(es)),
	}, Others: others, UpdatedAt: u.SyncedAt}
	if diff := gocmp.Diff(want, u.Balance()); diff != "" {
		k.t.Fatalf("balance (-want +got):\n%s", diff)
	}
}

func (k *moneyModel) checkDashboard() {
	from, to := models.DayOf(k.date(), k.zone()), models.DayOf(k.date(), k.zone())
	from, to = min(from, to), max(from, to)
	d, err := k.h.store.Dashboard(k.h.t.Context(), k.h.user.ID, models.DayRefOf(from), models.DayRefOf(to))
	k.must(err)
	if int(d.Version) != k.heard {
		k.t.Fatalf("the dashboard is of %d, the log's head is %d", d.Version, k.heard)
	}
	want := k.dashboard(from, to)
	ignored := cmpopts.IgnoreFields(models.Dashboard{}, "Version", "GeneratedAt")
	if diff := gocmp.Diff(want, d, ignored, cmpopts.EquateEmpty()); diff != "" {
		k.t.Fatalf("dashboard (-want +got):\n%s", diff)
	}
}

// dashboard is computed from the list, which has the newest date first.
func (k *moneyModel) dashboard(from, to models.Day) models.Dashboard {
	all := slices.DeleteFunc(k.h.list(), func(e models.Expense) bool { return e.Day < from || e.Day > to })
	es, others := k.split(all)
	d := models.Dashboard{
		From: from, To: to, Others: others, Recent: all[:min(len(all), models.MaxRecent)],
		CurrencyTotal: models.CurrencyTotal{
			Currency: k.user.Currency(), Income: total(es, typed("income")), Expense: total(es, typed("expense")), Count: int64(len(es)),
		},
	}
	for _, category := range models.Categories {
		of := func(e models.Expense) bool { return e.Type == "expense" && e.Category == category }
		if n := len(slices.DeleteFunc(slices.Clone(es), func(e models.Expense) bool { return !of(e) })); n > 0 {
			d.ByCategory = append(d.ByCategory, models.CategoryTotal{Category: category, Total: total(es, of), Count: int64(n)})
		}
	}
	slices.SortStableFunc(d.ByCategory, func(a, b models.CategoryTotal) int {
		return cmp.Or(b.Total.Cmp(a.Total), cmp.Compare(a.Category, b.Category))
	})
	for day := from; day <= to; day++ {
		on := func(kind string) models.Sum {
			return total(es, func(e models.Expense) bool { return e.Type == kind && e.Day == day })
		}
		if t := (models.DayTotal{Day: day, Income: on("income"), Expense: on("expense")}); t.Income != t.Expense ||
			t.Income != (models.Sum{}) {
			d.Series = append(d.Series, t)
		}
	}
	return d
}

// After any run of changes through any entry point, balances, budgets and dashboards
// equal a fresh computation, and each rise of a budget was alerted exactly once.
func TestMoneyFollowsEveryDoor(t *testing.T) {
	eachWith(t, reconcile.Options{}, func(h *fixture) {
		rapid.Check(h.t.(*testing.T), func(t *rapid.T) {
			h.user = storetest.User(h.t, h.store)
			k := &moneyModel{h: h, t: t, budgets: map[string]models.Budget{}, known: map[string]budgetModel{}}
			steps := []func(){
				k.create, k.create, k.create, k.edit, k.edit, k.remove, k.batch, k.delta,
				k.newBudget, k.newBudget, k.editBudget, k.dropBudget, k.sleep, k.choose,
			}
			for range rapid.IntRange(5, 40).Draw(t, "steps") {
				rapid.SampledFrom(steps).Draw(t, "step")()
				k.checkReads()
			}
			k.check()
		})
	})
}

// A queue is applied in chunks, here of three operations, each of which raises its own
// alerts. A rise that is undone within a chunk raises none.
func TestALongQueueIsAlertedOfStepByStep(t *testing.T) {
	each(t, func(h *fixture) {
		budget := models.BudgetDraft{Name: "Food", Category: "food", Amount: 100_000_000}
		if _, err := h.ledger.CreateBudget(h.t.Context(), h.user.ID, ledger.BudgetCreation{Draft: budget}); err != nil {
			h.t.Fatal(err)
		}
		spend := func(ms int64, amount int) models.Operation {
			return create(ms, fmt.Sprintf(`{"description":"Lunch","amount":%d,"category":"food","type":"expense"}`, amount))
		}
		ops := []models.Operation{
			spend(0, 500), del(1, spend(0, 0).ResourceID), spend(2, 10), // up and down again: 10
			spend(3, 40), spend(4, 35), spend(5, 1), // 86: the threshold
			spend(6, 50), spend(7, 1), spend(8, 1), // 138: over, which
			del(9, spend(6, 0).ResourceID), del(10, spend(4, 0).ResourceID), spend(11, 1), // the next takes back: 54
			spend(12, 30), // 84: the threshold, once more
		}
		h.apply(ops...)
		var told []string
		for _, c := range h.log() {
			if c.Kind == models.BudgetAlerted {
				told = append(told, c.Alert.State.Spent.String())
			}
		}
		if want := []string{"86", "138", "84"}; !slices.Equal(told, want) {
			h.t.Errorf("alerted at %v, want %v", told, want)
		}
	})
}
