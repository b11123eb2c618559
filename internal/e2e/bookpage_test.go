package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Parts of the page with figures of the book.
const (
	asOfPart     = ".summary .as-of"
	upcomingPart = ".standing .upcoming"
)

// bookMoment is when the page of a book is looked at, and bookEnd the last day of its entries.
const (
	bookMoment  = "2026-03-15T12:00:00Z"
	bookToday   = "2026-03-15"
	bookEnd     = "2026-03-20"
	bookEntries = 3_000
)

// A sum is what entries of one currency amount to, in hundredths.
type sum struct{ in, out int }

func (s *sum) add(e map[string]any) {
	cents := int(e["amount"].(float64)*100 + 0.5)
	if e["type"] == "income" {
		s.in += cents
	} else {
		s.out += cents
	}
}

// cents writes an amount as the page does; symbol is the currency's.
func cents(n int, symbol string) string {
	if n < 0 {
		return "−" + cents(-n, symbol)
	}
	return fmt.Sprintf("%s%d.%02d", symbol, n/100, n%100)
}

// bookEntry is one of some thousand entries over a hundred days, five of which are to come.
func bookEntry(i int) map[string]any {
	end, _ := time.Parse(time.DateOnly, bookEnd)
	e := map[string]any{
		"description": fmt.Sprint("Entry ", i), "amount": 0.1, "category": "food", "type": "expense",
		"date": end.AddDate(0, 0, -i%100).Format(time.DateOnly),
	}
	if i%11 == 0 {
		e["type"], e["category"], e["amount"] = "income", "salary", 0.3
	}
	if i%3 == 1 {
		e["currency"] = "EUR"
	}
	return e
}

// figures are what the page shows of a book, each part by its selector.
type figures struct{ balance, summary, legend, standing, upcoming []string }

// bookFigures adds up the book's entries in the test's own way. The budget is of 100 for everything in a month.
func bookFigures(entries []map[string]any) figures {
	var all, month, later [2]sum // in the account's currency, and in EUR
	var budget, budgetLater sum
	for _, e := range entries {
		day, c := e["date"].(string), 0
		if e["currency"] == "EUR" {
			c = 1
		}
		if day > bookToday {
			later[c].add(e)
		} else {
			all[c].add(e)
		}
		if strings.HasPrefix(day, "2026-03") && day <= bookToday {
			month[c].add(e)
		}
		if strings.HasPrefix(day, "2026-03") && c == 0 {
			budget.add(e)
			if day > bookToday {
				budgetLater.add(e)
			}
		}
	}
	both := func(home, euros int) string { return cents(home, "") + "\n" + cents(euros, "€") }
	return figures{
		balance: []string{"Balance " + cents(all[0].in-all[0].out, "") + " · " + cents(all[1].in-all[1].out, "€")},
		summary: []string{
			"Income, March", both(month[0].in, month[1].in), "Spent, March", both(month[0].out, month[1].out),
			"Upcoming, not counted yet", both(later[0].in-later[0].out, later[1].in-later[1].out),
		},
		legend:   []string{"Income " + cents(month[0].in, ""), "Spent " + cents(month[0].out, "")},
		standing: []string{"On track " + cents(10_000-budget.out, "") + " left"},
		upcoming: []string{cents(budgetLater.out, "") + " of it upcoming"},
	}
}

func (w *window) awaitFigures(t *testing.T, f figures) {
	t.Helper()
	w.awaitParts(t, balancePart, f.balance...)
	w.awaitParts(t, summaryPart, f.summary...)
	w.awaitParts(t, legendPart, f.legend...)
	w.awaitParts(t, standingPart, f.standing...)
	w.awaitParts(t, upcomingPart, f.upcoming...)
}

// Some thousand entries are right without a server, after the page was opened anew, and with
// what is entered meanwhile; when the server is back the page asks only for what is new.
func TestPageHasTheWholeBookWithoutAServer(t *testing.T) {
	p, who := start(t), newPerson()
	w := startBrowser(t).at(t, p, "UTC", bookMoment)
	w.register(t, who)
	a := who.account(t, p)
	budget := map[string]any{"name": "All", "category": "all", "amount": 100}
	a.call(t, http.MethodPost, "/api/budgets", budget).want(t, http.StatusCreated)
	entries := a.fillBook(t)

	w.follow(t, "Overview")
	w.awaitFigures(t, bookFigures(entries))
	w.awaitParts(t, asOfPart)
	w.do(t, "installed", nil)
	w.do(t, "awaitKept", map[string]any{"want": len(entries)})
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	w.do(t, "reload", nil)
	w.awaitFigures(t, bookFigures(entries))
	w.awaitParts(t, asOfPart, "No connection. As of: Today, 12:00")
	w.checkAccess(t, "figures without a connection")
	w.add(t, "Lunch", "0.50")
	entries = append(entries, map[string]any{"amount": 0.5, "type": "expense", "date": bookToday})
	w.awaitFigures(t, bookFigures(entries))

	w.do(t, "requests", nil)
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	w.awaitStatus(t, "Live")
	w.awaitFigures(t, bookFigures(entries))
	var asked []string
	w.into(t, &asked, "requests")
	for _, request := range asked {
		whole := strings.Contains(request, "/sync/changes") && !strings.Contains(request, "since=")
		if whole || strings.Contains(request, "/api/expenses") {
			t.Errorf("the page asked for everything: %s", request)
		}
	}
}

// fillBook stores the entries of a book and returns them.
func (a *account) fillBook(t *testing.T) (entries []map[string]any) {
	t.Helper()
	var ops []operation
	for i := range bookEntries {
		entries = append(entries, bookEntry(i))
		ops = append(ops, a.queued("CREATE", fmt.Sprint("temp_", i), entries[i]))
	}
	for _, r := range a.batch(t, ops...) {
		same(t, "status", "created", r.Status)
	}
	return entries
}

// A page stays open over the hour at which clocks go forward, whose day has 23 of them, and then
// over midnight and a month's end: it counts what was entered for the new day, and its totals
// are of the new month.
func TestPageStaysOpenOverMidnight(t *testing.T) {
	w := startBrowser(t).at(t, sqlite(t), "Europe/London", "2026-03-29T00:50:00Z") // clocks go forward in ten minutes
	moveTo := func(moment string) { w.do(t, "moveClock", map[string]any{"now": moment}) }
	w.register(t, newPerson())
	w.add(t, "Tea", "1")
	moveTo("2026-03-29T22:50:00Z") // 23:50 there
	w.add(t, "Cake", "1")
	w.awaitRows(t, "Cake −1.00", "Tea −1.00")
	w.awaitParts(t, dayTitlesPart, "Today")
	moveTo("2026-03-29T23:05:00Z")
	w.awaitParts(t, dayTitlesPart, "Yesterday")

	moveTo("2026-03-31T22:50:00Z")
	w.addOn(t, "Lunch", "5", time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC))
	w.addOn(t, "Rent", "20", time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC))
	w.follow(t, "Overview")
	w.awaitParts(t, balancePart, "Balance −7.00")
	w.awaitParts(t, summaryPart, "Income, March", "0.00", "Spent, March", "7.00", "Upcoming, not counted yet", "−20.00")
	w.awaitParts(t, legendPart, "Income 0.00", "Spent 7.00")

	moveTo("2026-03-31T23:05:00Z")
	w.awaitParts(t, balancePart, "Balance −27.00")
	w.awaitParts(t, summaryPart, "Income, April", "0.00", "Spent, April", "20.00")
	w.awaitParts(t, legendPart, "Income 0.00", "Spent 20.00")
	w.follow(t, "Entries")
	w.awaitParts(t, dayTitlesPart, "Today") // the list is of April now
	w.press(t, "Show March 2026")
	w.awaitText(t, "Yesterday")
}

// A page stays open over a day of 25 hours: what is entered 24 hours after its first minute is still of that day.
func TestPageStaysOpenOverADayOf25Hours(t *testing.T) {
	w := startBrowser(t).at(t, sqlite(t), "Europe/London", "2026-10-24T23:10:00Z") // ten past midnight there
	moveTo := func(moment string) { w.do(t, "moveClock", map[string]any{"now": moment}) }
	w.register(t, newPerson())
	w.add(t, "Tea", "1")
	moveTo("2026-10-25T23:30:00Z") // half past eleven in the evening
	w.add(t, "Cake", "2")
	w.awaitRows(t, "Cake −2.00", "Tea −1.00")
	w.awaitParts(t, dayTitlesPart, "Today")
	moveTo("2026-10-26T00:05:00Z")
	w.awaitParts(t, dayTitlesPart, "Yesterday")
	w.add(t, "Milk", "4")
	w.awaitRows(t, "Milk −4.00", "Cake −2.00", "Tea −1.00")
	w.awaitParts(t, dayTitlesPart, "Today", "Yesterday")
	w.awaitParts(t, ".day h3 .sum", "−4.00", "−3.00")
}
