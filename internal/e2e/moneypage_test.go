package e2e

import (
	"net/http"
	"testing"
	"time"
)

// Parts of the page, as CSS finds them.
const (
	balancePart     = ".balance"
	standingPart    = ".budget .standing > span:first-child"
	categoriesPart  = ".chart .name, .chart .value"
	legendPart      = ".legend .key"
	tablePart       = "table tbody tr"
	noticesPart     = ".notification h3"
	unreadPart      = ".new"
	unreadCountPart = ".notifications-tools .hint"
	bannerPart      = ".banner:not([data-status=ok])"
)

// addBudget fills in the form for a new budget.
func (w *window) addBudget(t *testing.T, name, category, amount string) {
	t.Helper()
	w.press(t, "New budget")
	w.fill(t, "Name", name)
	w.fill(t, "Amount", amount)
	w.choose(t, "Category", category)
	w.press(t, "Add budget")
}

// What one device does moves balance, budgets, both charts and the notifications
// of the other, which does nothing.
func TestPageMovesItsMoneyOnAnotherDevice(t *testing.T) {
	_, one, other := twoWindows(t, startBrowser(t), sqlite(t).url())
	one.follow(t, "Overview")
	other.follow(t, "Overview")
	one.addBudget(t, "Food", "Food", "100")
	other.awaitParts(t, standingPart, "On track 100.00 left")

	one.add(t, "Lunch", "60")
	other.awaitParts(t, balancePart, "Balance −60.00")
	other.awaitParts(t, standingPart, "On track 40.00 left")
	other.awaitParts(t, categoriesPart, "Food", "60.00 · 100 %")
	other.awaitParts(t, legendPart, "Income 0.00", "Spent 60.00")
	other.awaitButton(t, "Notifications")

	one.add(t, "Dinner", "30.5")
	other.awaitParts(t, standingPart, "Nearly used up 9.50 left")
	other.awaitText(t, "Nearly used up: Food, 90.50 of 100.00.")
	other.awaitButton(t, "Notifications, 1 unread")
	one.add(t, "Cake", "10")
	other.awaitParts(t, standingPart, "Over budget by 0.50")
	other.awaitParts(t, balancePart, "Balance −100.50")
	other.awaitParts(t, ".alerts", "1 alert")
	other.awaitButton(t, "Notifications, 2 unread")
	other.awaitParts(t, categoriesPart, "Food", "100.50 · 100 %")
	other.awaitParts(t, legendPart, "Income 0.00", "Spent 100.50")
	other.press(t, "Table: Spending by category")
	other.awaitParts(t, tablePart, "Food3100 %100.50")

	one.follow(t, "Entries")
	one.press(t, "Delete Dinner")
	other.awaitParts(t, standingPart, "On track 30.00 left")
	other.awaitParts(t, tablePart, "Food2100 %70.00")
	other.awaitParts(t, ".alerts")
}

// What was missed is right again as soon as the page is back.
func TestPageKnowsItsMoneyAfterAnAbsence(t *testing.T) {
	_, one, other := twoWindows(t, startBrowser(t), sqlite(t).url())
	other.follow(t, "Overview")
	other.addBudget(t, "Everything", "All spending", "10")
	one.follow(t, "Overview")
	one.awaitParts(t, standingPart, "On track 10.00 left")
	other.offline(t, true)
	other.awaitStatus(t, "Offline")
	other.add(t, "Tea", "1")
	other.awaitParts(t, balancePart, "Balance −1.00")
	other.press(t, "Notifications")
	other.awaitText(t, "The notifications cannot be loaded now.")
	other.awaitParts(t, unreadCountPart, "") // not "All read", which nobody knows
	other.press(t, "Close")
	one.add(t, "Lunch", "12")
	one.awaitParts(t, balancePart, "Balance −12.00")

	other.offline(t, false)
	for _, w := range []*window{one, other} {
		w.awaitParts(t, balancePart, "Balance −13.00")
		w.awaitParts(t, standingPart, "Over budget by 3.00")
		w.awaitParts(t, legendPart, "Income 0.00", "Spent 13.00")
		w.awaitButton(t, "Notifications, 1 unread")
	}
}

// Budgets are changed, deleted and brought back on one page and show on the other.
func TestPageKeepsBudgetsOnTwoDevices(t *testing.T) {
	_, one, other := twoWindows(t, startBrowser(t), sqlite(t).url())
	one.follow(t, "Overview")
	other.follow(t, "Overview")
	one.press(t, "New budget")
	one.fill(t, "Name", "Going out")
	one.fill(t, "Amount", "-5")
	one.fill(t, "Warn at (percent)", "0")
	one.press(t, "Add budget")
	one.awaitText(t, "Enter a number, such as 250.")
	one.awaitText(t, "Enter a number from 1 to 100.")
	one.fill(t, "Amount", "50")
	one.fill(t, "Warn at (percent)", "90")
	one.choose(t, "Repeats", "Every week")
	one.press(t, "Add budget")
	other.awaitParts(t, standingPart, "On track 50.00 left")
	other.awaitParts(t, ".gauge .tick", "90 %", "100 %")

	other.press(t, "Edit budget Going out")
	one.press(t, "Edit budget Going out")
	one.fill(t, "Amount", "60")
	one.press(t, "Save")
	other.awaitParts(t, standingPart, "On track 60.00 left")
	other.fill(t, "Amount", "70")
	other.press(t, "Save")
	one.awaitParts(t, standingPart, "On track 60.00 left")
	other.awaitText(t, "Save again to replace it with yours.")
	other.press(t, "Save")
	one.awaitParts(t, standingPart, "On track 70.00 left")

	one.press(t, "Delete budget Going out")
	other.awaitText(t, "No budgets yet.")
	one.press(t, "Undo")
	other.awaitParts(t, standingPart, "On track 70.00 left")
}

// Reading and deleting a notification shows on every device.
func TestPageListsNotificationsOnTwoDevices(t *testing.T) {
	p := sqlite(t)
	who, one, other := twoWindows(t, startBrowser(t), p.url())
	a := who.account(t, p)
	a.budget(t, 10)
	for _, amount := range []float64{8.5, 2} {
		a.spend(t, "food", amount)
	}
	one.press(t, "Notifications, 2 unread")
	other.press(t, "Notifications, 2 unread")
	one.awaitParts(t, noticesPart, "Budget exceeded", "Budget nearly used up")
	other.awaitParts(t, unreadPart, "New", "New")

	one.keys(t, "Tab", "Tab", "Tab", "Enter") // past Close and Mark all read, to the first one's Mark read
	other.awaitParts(t, unreadPart, "New")
	one.press(t, "Mark all read")
	other.awaitParts(t, unreadPart)
	other.awaitParts(t, unreadCountPart, "All read")
	one.awaitParts(t, unreadPart)
	one.press(t, "Close")
	one.awaitButton(t, "Notifications")
}

// spend adds an expense of a category and an amount.
func (a *account) spend(t *testing.T, category string, amount float64) {
	t.Helper()
	a.call(t, http.MethodPost, "/api/expenses", map[string]any{
		"description": "Spent on " + category, "amount": amount, "category": category, "type": "expense",
	}).want(t, http.StatusCreated)
}

// A server that speaks one spelling is heard as well.
func TestPageHearsEitherSpelling(t *testing.T) {
	for _, names := range []string{"underscore", "colon"} {
		t.Run(names, func(t *testing.T) {
			_, one, other := twoWindows(t, startBrowser(t), start(t, "EVENT_NAMES="+names).url())
			one.add(t, "Lunch", "12.50")
			other.awaitRows(t, "Lunch −12.50")
			one.press(t, "Delete Lunch")
			other.awaitRows(t)
		})
	}
}

// What the server says of itself stands on the page while it is so.
func TestPageTellsHowTheServiceStands(t *testing.T) {
	const token = "the token of whoever runs the server"
	p := start(t, "ADMIN_TOKEN="+token)
	w := startBrowser(t).open(t, p.url(), nil)
	w.register(t, newPerson())
	w.awaitParts(t, bannerPart)

	say := func(status, message string) {
		t.Helper()
		call(t, http.MethodPost, p.url()+"/api/admin/status", token, map[string]any{"status": status, "message": message}).want(t,
			http.StatusOK)
	}
	say("degraded", "E-mails are late.")
	w.awaitParts(t, bannerPart, "Some things do not work at the moment. E-mails are late.")
	w.checkAccess(t, "a banner")
	say("ok", "")
	w.awaitParts(t, bannerPart)
}

// Everything about money can be done with the keyboard alone.
func TestPageMoneyByKeyboard(t *testing.T) {
	w := startBrowser(t).open(t, sqlite(t).url(), nil)
	w.register(t, newPerson())
	budgetByKeyboard(t, w)
	spendingByKeyboard(t, w)
	noticesByKeyboard(t, w)
}

func budgetByKeyboard(t *testing.T, w *window) {
	t.Helper()
	w.tabTo(t, "Overview")
	w.keys(t, "Enter")
	w.tabTo(t, "New budget")
	w.keys(t, "Enter")
	w.focusIs(t, "Name")
	w.keys(t, "Escape")
	w.focusIs(t, "New budget")
	w.keys(t, "Enter")
	w.types(t, "Food")
	w.keys(t, "Enter") // without an amount: the form says so and goes there
	w.focusIs(t, "Amount")
	w.types(t, "20")
	w.keys(t, "Enter")
	w.awaitParts(t, standingPart, "On track 20.00 left")
	w.focusIs(t, "New budget")
	w.tabTo(t, "Edit budget Food")
	w.keys(t, "Enter")
	w.tabTo(t, "Amount")
	w.keys(t, "ControlOrMeta+a")
	w.types(t, "10")
	w.keys(t, "Enter")
	w.awaitParts(t, standingPart, "On track 10.00 left")
	w.focusIs(t, "Edit budget Food")
}

func spendingByKeyboard(t *testing.T, w *window) {
	t.Helper()
	w.add(t, "Lunch", "9")
	w.awaitButton(t, "Notifications, 1 unread")
	w.tabTo(t, "Show")
	w.keys(t, "Enter")
	w.focusIs(t, "Food")
	w.tabTo(t, "Table: Spending by category")
	w.keys(t, "Enter")
	w.awaitParts(t, tablePart, "Food1100 %9.00")
	w.keys(t, "Enter")
	w.awaitParts(t, tablePart)
	w.awaitParts(t, categoriesPart, "Food", "9.00 · 100 %")
	w.tabTo(t, "Later month")
	w.keys(t, "Enter")
	w.awaitText(t, "Nothing was spent in these days.")
}

func noticesByKeyboard(t *testing.T, w *window) {
	t.Helper()
	w.tabTo(t, "Notifications, 1 unread")
	w.keys(t, "Enter")
	w.focusIs(t, "Notifications")
	w.awaitParts(t, noticesPart, "Budget nearly used up")
	w.tabTo(t, "Mark all read")
	w.keys(t, "Enter")
	w.awaitParts(t, unreadPart)
	w.focusIs(t, "Notifications")
	w.awaitParts(t, unreadCountPart, "All read") // told by the server, a moment later
	w.keys(t, "Escape")
	w.focusIs(t, "Notifications")
	w.tabTo(t, "Delete budget Food")
	w.keys(t, "Enter")
	w.awaitText(t, "No budgets yet.")
	w.focusIs(t, "Budgets")
	w.keys(t, "ControlOrMeta+z")
	w.awaitParts(t, standingPart, "Nearly used up 1.00 left")
}

func (w *window) focusIs(t *testing.T, want string) {
	t.Helper()
	same(t, "focus", want, w.focused(t))
}

// axe-core finds nothing to object to in any of it, in either scheme and at
// either width.
func TestPageOfMoneyIsAccessible(t *testing.T) { inEachLook(t, lookAtMoney) }

// inEachLook runs check in both schemes and at either width.
func inEachLook(t *testing.T, check func(*testing.T, *program, *window)) {
	p := sqlite(t)
	b := startBrowser(t)
	for _, phone := range []bool{false, true} {
		for _, scheme := range []string{"light", "dark"} {
			l, name := look{"colorScheme": scheme}, "desktop, "+scheme
			if phone {
				l["viewport"], name = map[string]int{"width": 360, "height": 740}, "phone, "+scheme
			}
			t.Run(name, func(t *testing.T) { check(t, p, b.open(t, p.url(), l)) })
		}
	}
}

func lookAtMoney(t *testing.T, p *program, w *window) {
	who := newPerson()
	w.register(t, who)
	w.follow(t, "Overview")
	w.awaitText(t, "There are no entries in these days.")
	w.awaitParts(t, legendPart) // nothing to tell apart
	w.checkAccess(t, "empty overview")

	a := who.account(t, p)
	next := time.Now().AddDate(1, 0, 0).Format(time.DateOnly)
	for _, budget := range []map[string]any{
		{"name": "Over", "category": "food", "amount": 10},
		{"name": "Near", "category": "all", "amount": 100, "alertThreshold": 15},
		{"name": "Fine", "category": "bills", "amount": 100, "period": "yearly"},
		{"name": "Later", "category": "travel", "amount": 100, "startDate": next},
	} {
		a.call(t, http.MethodPost, "/api/budgets", budget).want(t, http.StatusCreated)
	}
	a.spend(t, "food", 12.5)
	a.spend(t, "transport", 7)
	w.awaitParts(t, standingPart, "Over budget by 2.50", "Nearly used up 80.50 left", "On track 100.00 left",
		"Not running 0.00 spent")
	w.awaitParts(t, categoriesPart, "Food", "12.50 · 64 %", "Transport", "7.00 · 36 %")
	w.awaitButton(t, "Notifications, 2 unread")
	w.checkAccess(t, "charts and budgets, with an alert")
	w.press(t, "Table: Spending by category")
	w.press(t, "Table: Income and spending by day")
	w.checkAccess(t, "tables")
	w.press(t, "New budget")
	w.press(t, "Add budget")
	w.awaitText(t, "Give it a name.")
	w.checkAccess(t, "the form of a budget, with errors")
	w.press(t, "Cancel")
	w.press(t, "Notifications, 2 unread")
	w.awaitParts(t, unreadPart, "New", "New")
	w.checkAccess(t, "notifications")
}
