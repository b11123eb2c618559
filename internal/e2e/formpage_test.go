package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkout serves the page of testdata/checkout as the server of such a checkout
// does: its public folder, then the folder itself.
func checkout(t *testing.T) *program {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("testdata", "checkout"))
	if err != nil {
		t.Fatal(err)
	}
	return start(t, "STATIC_DIR="+strings.Join([]string{filepath.Join(dir, "public"), dir}, string(os.PathListSeparator)))
}

// fillIn fills in the form of an entry but for its currency, which the page chooses.
func (w *window) fillIn(t *testing.T, description, category, amount, kind string) {
	t.Helper()
	w.fill(t, "Description", description)
	w.choose(t, "Category", category)
	w.fill(t, "Amount", amount)
	w.choose(t, "Kind", kind)
}

// requests returns what the page asked of /api since it was asked last.
func (w *window) requests(t *testing.T) []string {
	t.Helper()
	var asked []string
	w.into(t, &asked, "requests")
	return asked
}

// A form with a required currency, which only GET /api/currency/supported fills,
// is filled in and sent by clicks; so is all else that its page can do.
func TestAPageWhoseFormNeedsACurrencyWorksByClicks(t *testing.T) {
	p, b, who := checkout(t), startBrowser(t), newPerson()
	one, other := b.open(t, p.url(), nil), b.open(t, p.url(), nil)
	one.registerThere(t, who)
	other.signIn(t, who)

	one.fillIn(t, "Lunch", "Food", "12.50", "Expense")
	one.press(t, "Add")
	one.awaitRows(t, "Lunch -12.50")
	other.awaitRows(t, "Lunch -12.50")
	other.fillIn(t, "Pay", "Salary", "1000", "Income")
	other.press(t, "Add")
	one.awaitRows(t, "Pay 1000.00", "Lunch -12.50")
	other.press(t, "Delete Lunch")
	one.awaitRows(t, "Pay 1000.00")

	one.offline(t, true)
	one.fillIn(t, "Tea", "Food", "4", "Expense")
	one.press(t, "Add")
	one.awaitRows(t, "Tea -4.00", "Pay 1000.00")
	one.offline(t, false)
	other.awaitRows(t, "Tea -4.00", "Pay 1000.00")

	one.awaitText(t, "Synced 1")
	one.do(t, "reload", nil)
	one.awaitRows(t, "Tea -4.00", "Pay 1000.00")
	one.press(t, "Sign out")
	one.awaitButton(t, "Create an account")
	same(t, "stored expenses", 2, len(who.account(t, p).expenses(t)))
}

// registerThere registers where no currency is asked for.
func (w *window) registerThere(t *testing.T, who person) {
	t.Helper()
	w.registerWith(t, who, func() {})
}

// The page asks in this order at every start, and is told of no failure.
func TestAPageOfTheSameShapeAsksInTheSameOrder(t *testing.T) {
	p, who := checkout(t), newPerson()
	w := startBrowser(t).open(t, p.url(), nil)
	w.registerThere(t, who)
	w.requests(t)
	w.do(t, "reload", nil)
	w.awaitStatus(t, "Live")
	same(t, "requests of a start", []string{
		"GET /api/currency/supported 200", "GET /api/currency/preference 200",
		"GET /api/expenses?page=1&limit=50 200", "GET /api/workspaces 200",
	}, w.requests(t))
}

// The dialog of the preferred currency shows rates and keeps what is chosen.
func TestAPageKeepsItsPreferredCurrency(t *testing.T) {
	p, who := checkout(t), newPerson()
	w := startBrowser(t).open(t, p.url(), nil)
	w.registerThere(t, who)
	w.press(t, "Currency: INR")
	w.awaitText(t, "INR 1.0000")
	w.choose(t, "Preferred currency", "€ EUR - Euro")
	w.press(t, "Save")
	w.awaitButton(t, "Currency: EUR")
	w.fillIn(t, "Lunch", "Food", "12.50", "Expense")
	w.press(t, "Add")
	w.awaitRows(t, "Lunch -12.50")
}
