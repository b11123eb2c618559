package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// twoWindows returns a new person's page on two devices, both live.
func twoWindows(t *testing.T, b *browser, url string) (person, *window, *window) {
	t.Helper()
	who := newPerson()
	one, other := b.open(t, url, nil), b.open(t, url+"/expensetracker.html", nil)
	one.register(t, who)
	other.signIn(t, who)
	return who, one, other
}

func TestPageOnTwoDevices(t *testing.T) {
	_, one, other := twoWindows(t, startBrowser(t), sqlite(t).url())

	one.add(t, "Lunch", "12.50")
	other.awaitRows(t, "Lunch −12.50")
	other.add(t, "<img src=x onerror=alert(1)>", "1,234.5")
	one.awaitRows(t, "<img src=x onerror=alert(1)> −1,234.50", "Lunch −12.50")
	one.edit(t, "Lunch", "Amount", "13")
	other.awaitRows(t, "<img src=x onerror=alert(1)> −1,234.50", "Lunch −13.00")
	other.press(t, "Delete Lunch")
	one.awaitRows(t, "<img src=x onerror=alert(1)> −1,234.50")
	other.press(t, "Undo")
	one.awaitRows(t, "<img src=x onerror=alert(1)> −1,234.50", "Lunch −13.00")
	one.awaitStatus(t, "Live")
	other.awaitStatus(t, "Live")
}

func TestPageGoesOfflineAndBack(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		who, one, other := twoWindows(t, startBrowser(t), p.url())
		one.add(t, "Bread", "3")
		other.awaitRows(t, "Bread −3.00")
		one.add(t, "Milk", "2")
		other.awaitRows(t, "Milk −2.00", "Bread −3.00")
		a := who.account(t, p)
		ear := startNode(t).connect(t, a, transports[1])

		one.offline(t, true)
		one.add(t, "Lunch", "12.50")
		one.add(t, "Tea", "4")
		one.edit(t, "Lunch", "Description", "Dinner")
		one.edit(t, "Bread", "Amount", "3.20")
		one.press(t, "Delete Milk")
		one.awaitRows(t, "Tea −4.00 [Waiting]", "Dinner −12.50 [Waiting]", "Milk −2.00 [Deletion waiting]",
			"Bread −3.20 [Change waiting]")
		one.awaitStatus(t, "Offline · 4 waiting")
		other.awaitRows(t, "Milk −2.00", "Bread −3.00")

		one.offline(t, false)
		want := []string{"Tea −4.00", "Dinner −12.50", "Bread −3.20"}
		one.awaitRows(t, want...)
		one.awaitStatus(t, "Live")
		other.awaitRows(t, want...)
		same(t, "stored expenses", 3, len(a.expenses(t)))

		a.settle(t, ear) // one more, behind everything that the page may have caused
		same(t, "created events", 3, len(ear.events("expense_created")))
		same(t, "updated events", 1, len(ear.events("expense_updated")))
		same(t, "deleted events", 1, len(ear.events("expense_deleted")))
	})
}

// The page opens, shows what it knew and takes changes while there is no server
// at all; they arrive once when there is one again.
func TestPageOutlivesItsServer(t *testing.T) {
	p := start(t)
	who, one, other := twoWindows(t, startBrowser(t), p.url())
	one.add(t, "Bread", "3")
	other.awaitRows(t, "Bread −3.00")
	one.do(t, "installed", nil)

	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	one.add(t, "Lunch", "12.50")
	one.awaitStatus(t, "Offline · 1 waiting")
	one.do(t, "reload", nil)
	one.awaitRows(t, "Lunch −12.50 [Waiting]", "Bread −3.00")
	one.add(t, "Tea", "4")
	one.awaitStatus(t, "Offline · 2 waiting")

	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	want := []string{"Tea −4.00", "Lunch −12.50", "Bread −3.00"}
	one.awaitRows(t, want...)
	one.awaitStatus(t, "Live")
	other.awaitRows(t, want...)
	same(t, "stored expenses", 3, len(who.account(t, p).expenses(t)))
}

func TestPageWhoseAnswersAreLostAddsOnce(t *testing.T) {
	p := sqlite(t)
	x := startProxy(t, p)
	b := startBrowser(t)
	who := newPerson()
	one := b.open(t, x.URL(), nil)
	one.register(t, who)
	a := who.account(t, p)
	ear := startNode(t).connect(t, a, transports[1])

	x.loseAnswers(http.MethodPost, "/api/sync/batch")
	one.add(t, "Lunch", "12.50")
	ear.hear(t, 1, "expense_created")
	one.edit(t, "Lunch", "Amount", "13")
	one.awaitRows(t, "Lunch −13.00 [Waiting]")
	x.loseAnswers("", "")

	one.awaitRows(t, "Lunch −13.00")
	one.awaitStatus(t, "Live")
	same(t, "stored expenses", 1, len(a.expenses(t)))
	a.settle(t, ear)
	same(t, "created events", 2, len(ear.events("expense_created")))
	same(t, "updated events", 1, len(ear.events("expense_updated")))
}

// A session that ends while changes wait asks for a new one and keeps them.
func TestPageKeepsItsQueueWhenTheSessionEnds(t *testing.T) {
	p := start(t)
	b := startBrowser(t)
	who, somebody := newPerson(), newPerson()
	one := b.open(t, p.url(), nil)
	one.register(t, who)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	one.add(t, "Lunch", "12.50")
	one.awaitStatus(t, "Offline · 1 waiting")

	p.env = append(p.env, "JWT_SECRET=another secret, which makes every old token foreign")
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	one.awaitText(t, "1 change that is kept here")
	one.register(t, somebody)
	one.awaitRows(t)
	one.press(t, "Sign out")
	one.signIn(t, who)
	one.awaitRows(t, "Lunch −12.50")
	one.awaitStatus(t, "Live")
	same(t, "stored expenses of the other account", 0, len(somebody.account(t, p).expenses(t)))
}

// Two tabs are open for longer than their token is valid: nobody is signed out, and a form that
// is half filled in stays so. Then the server takes no new accounts, and the page says so.
func TestPageOutlivesItsToken(t *testing.T) {
	const life = 6 * second
	p := start(t, fmt.Sprintf("JWT_EXPIRE=%v", life))
	one := startBrowser(t).open(t, p.url(), nil)
	one.register(t, newPerson())
	two := one.tab(t, p.url())
	two.awaitStatus(t, "Live")
	opened := time.Now()
	two.fill(t, "Description", "Lunch")
	time.Sleep(time.Until(opened.Add(life + second)))
	two.fill(t, "Amount", "4")
	two.press(t, "Add")
	one.awaitRows(t, "Lunch −4.00")
	one.awaitStatus(t, "Live")

	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	p.env = append(p.env, "ALLOW_REGISTRATION=false")
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	one.awaitStatus(t, "Live")
	one.press(t, "Sign out")
	one.awaitText(t, "New accounts cannot be made here")
	two.awaitText(t, "New accounts cannot be made here")
}

func TestPageInTwoTabsOfOneBrowser(t *testing.T) {
	p := sqlite(t)
	b := startBrowser(t)
	who := newPerson()
	one := b.open(t, p.url(), nil)
	one.register(t, who)
	two := one.tab(t, p.url())
	two.awaitStatus(t, "Live")

	one.add(t, "Bread", "3")
	two.awaitRows(t, "Bread −3.00")
	one.offline(t, true)
	one.add(t, "Lunch", "12.50")
	two.awaitRows(t, "Lunch −12.50 [Waiting]", "Bread −3.00")
	two.add(t, "Tea", "4")
	one.offline(t, false)
	want := []string{"Tea −4.00", "Lunch −12.50", "Bread −3.00"}
	one.awaitRows(t, want...)
	two.awaitRows(t, want...)
	same(t, "stored expenses", 3, len(who.account(t, p).expenses(t)))

	one.press(t, "Sign out")
	two.awaitText(t, "New here?")
}

// Everything can be done with the keyboard alone, and the focus is never lost.
func TestPageByKeyboard(t *testing.T) {
	w := startBrowser(t).open(t, sqlite(t).url(), nil)
	who := newPerson()
	w.registerByKeyboard(t, who)
	for _, entry := range [][2]string{{"12.50", "Lunch"}, {"4", "Tea"}} {
		w.tabTo(t, "Amount, GBP")
		w.types(t, entry[0])
		w.keys(t, "Enter") // without a description: the form says so and goes there
		w.focusIs(t, "Description")
		w.types(t, entry[1])
		w.keys(t, "Enter")
		w.focusIs(t, "Amount, GBP")
	}
	w.awaitRows(t, "Tea −£4.00", "Lunch −£12.50")

	w.tabTo(t, "Edit Tea")
	w.keys(t, "Enter")
	w.focusIs(t, "Amount, GBP")
	w.keys(t, "Escape")
	w.focusIs(t, "Edit Tea")
	w.keys(t, "Enter", "ControlOrMeta+a")
	w.types(t, "5")
	w.keys(t, "Enter")
	w.awaitRows(t, "Tea −£5.00", "Lunch −£12.50")
	w.focusIs(t, "Edit Tea")
	w.tabTo(t, "Delete Tea")
	w.keys(t, "Enter")
	w.awaitRows(t, "Lunch −£12.50")
	w.focusIs(t, "Edit Lunch")
	w.keys(t, "ControlOrMeta+z")
	w.awaitRows(t, "Tea −£5.00", "Lunch −£12.50")
	w.focusIs(t, "Edit Lunch")
	w.keys(t, "Delete")
	w.awaitRows(t, "Tea −£5.00")
	w.tabTo(t, "Undo")
	w.keys(t, "Enter")
	w.awaitRows(t, "Tea −£5.00", "Lunch −£12.50")
	w.focusIs(t, "Delete Tea") // whence Undo was reached, which is gone with its message
	w.tabTo(t, "Menu")
	w.keys(t, "Enter")
	w.tabTo(t, "Sign out")
	w.keys(t, "Enter")
	w.awaitText(t, "New here?")
	w.focusIs(t, "E-mail")
}

func (w *window) registerByKeyboard(t *testing.T, who person) {
	t.Helper()
	w.focusIs(t, "E-mail")
	w.tabTo(t, "Create an account")
	w.keys(t, "Enter")
	w.focusIs(t, "Name")
	w.types(t, who.name)
	w.tabTo(t, "E-mail")
	w.types(t, who.email)
	w.awaitText(t, "At least 8 characters.")
	w.tabTo(t, "Password")
	w.types(t, "short")
	w.keys(t, "Enter")
	w.awaitText(t, "Password length must be at least 8 characters long.")
	w.focusIs(t, "Password")
	w.keys(t, "ControlOrMeta+a")
	w.types(t, who.password)
	w.keys(t, "Enter") // the currency is that of the browser's region
	w.awaitStatus(t, "Live")
	w.focusIs(t, "Entries")
}

// The browser tells of a dialog's closing late: the one that was closed may be open
// again and hold what somebody writes.
func TestAFormOpenedRightAfterItWasClosedCanBeSent(t *testing.T) {
	w := startBrowser(t).open(t, sqlite(t).url(), nil)
	w.register(t, newPerson())
	w.add(t, "Tea", "4")
	w.awaitRows(t, "Tea −4.00")
	w.do(t, "reopen", map[string]any{"name": "Edit Tea"})
	w.fill(t, "Amount", "5")
	w.press(t, "Save")
	w.awaitRows(t, "Tea −5.00")
}

// axe-core finds nothing to object to, in either scheme and at either width.
func TestPageIsAccessible(t *testing.T) {
	looks := map[string]look{
		"desktop, light": {"colorScheme": "light"},
		"desktop, dark":  {"colorScheme": "dark"},
		"phone, light":   {"colorScheme": "light", "viewport": map[string]int{"width": 360, "height": 740}},
		"phone, dark":    {"colorScheme": "dark", "viewport": map[string]int{"width": 360, "height": 740}},
	}
	p := sqlite(t)
	b := startBrowser(t)
	for name, l := range looks {
		t.Run(name, func(t *testing.T) { lookAround(t, b.open(t, p.url(), l), l["viewport"] != nil) })
	}
}

func lookAround(t *testing.T, w *window, phone bool) {
	w.checkAccess(t, "sign in")
	w.press(t, "Create an account")
	w.press(t, "Create account")
	w.awaitText(t, "Name is missing.")
	w.checkAccess(t, "sign-in error")
	w.press(t, "Sign in")
	w.register(t, newPerson())
	w.awaitText(t, "Nothing here yet.")
	w.checkAccess(t, "empty list")
	if phone {
		w.press(t, "Add entry")
	}
	w.press(t, "Add")
	w.awaitText(t, "Enter a description.")
	w.checkAccess(t, "form errors")
	w.add(t, "Lunch", "12.50")
	w.awaitRows(t, "Lunch −12.50")
	w.press(t, "Edit Lunch")
	w.checkAccess(t, "dialog")
	w.press(t, "Cancel")
	w.offline(t, true)
	w.press(t, "Delete Lunch")
	w.awaitStatus(t, "Offline · 1 waiting")
	w.checkAccess(t, "offline, with a message")
	w.press(t, "Sign out")
	w.checkAccess(t, "question")
	w.press(t, "Stay")
	w.offline(t, false)
	w.awaitRows(t)
}

// What another client of the account queued and the server parked can be
// corrected here.
func TestPageCorrectsWhatWasParked(t *testing.T) {
	p := sqlite(t)
	who := newPerson()
	w := startBrowser(t).open(t, p.url(), nil)
	w.register(t, who)
	a := who.account(t, p)

	a.batch(t, a.queued("CREATE", "temp_1",
		map[string]any{"description": "Lunch", "amount": -5, "category": "sweets", "type": "gift"}))
	w.awaitText(t, "Add Lunch, −5.00")
	w.awaitRows(t)
	w.press(t, "Correct: Add Lunch, −5.00")
	w.press(t, "Try again")
	w.awaitText(t, "Choose a category.")
	w.choose(t, "Category", "Food")
	w.fill(t, "Amount", "5")
	w.press(t, "Try again")
	w.awaitRows(t, "Lunch −5.00")
	same(t, "parked operations", 0, a.syncStatus(t).PendingOperations)
}
