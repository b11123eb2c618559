package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Parts of the page that say what was found.
const (
	foundPart = ".found p"
	emptyPart = ".empty p"
)

// findMoment is when the page is looked at; its months are March and, before it, February.
const findMoment = "2026-03-15T12:00:00Z"

// A listState is what the document has of the list, and what has the focus.
type listState struct {
	Rows    int    `json:"rows"`
	Size    string `json:"size"` // of the group of the first row, as screen readers are told
	Last    bool   `json:"last"` // whether the last row is in the window
	Focused string `json:"focused"`
	Address string `json:"address"`
}

func (w *window) list(t *testing.T) (s listState) {
	t.Helper()
	w.into(t, &s, "list")
	return s
}

// store stores entries of one person: description, category, day, amount.
func (a *account) store(t *testing.T, entries ...[4]any) {
	t.Helper()
	var ops []operation
	for i, e := range entries {
		kind := "expense"
		if e[1] == "salary" {
			kind = "income"
		}
		ops = append(ops, a.queued("CREATE", fmt.Sprintf("temp_%s_%d", e[2], i), map[string]any{
			"description": e[0], "category": e[1], "date": e[2], "day": e[2], "amount": e[3], "type": kind,
		}))
	}
	for _, r := range a.batch(t, ops...) {
		same(t, "status", "created", r.Status)
	}
}

// Search, filters, months and charts find the same entries, and the address holds each step.
func TestPageFindsEntries(t *testing.T) {
	p, who := sqlite(t), newPerson()
	w := startBrowser(t).at(t, p, "UTC", findMoment)
	w.register(t, who)
	who.account(t, p).store(t,
		[4]any{"Rent in advance", "bills", "2026-04-01", 900}, [4]any{"Train", "transport", "2026-03-15", 29.5},
		[4]any{"Café crème", "food", "2026-03-14", 4}, [4]any{"Pay", "salary", "2026-03-01", 2000},
		[4]any{"Rent", "bills", "2026-02-01", 800})
	month := []string{"Rent in advance −900.00", "Train −29.50", "Café crème −4.00", "Pay +2,000.00"}
	w.awaitRows(t, month...)
	w.awaitParts(t, dayTitlesPart, "Today", "Yesterday", "Sun 1 March")

	w.searchAndFilter(t, month)
	w.goThroughMonths(t)
	w.press(t, "Clear")
	w.choose(t, "Month", "March 2026")
	w.awaitRows(t, month...)
	w.goFromCharts(t)
}

func (w *window) searchAndFilter(t *testing.T, month []string) {
	t.Helper()
	w.fill(t, "Search", "CAFE cr")
	w.awaitRows(t, "Café crème −4.00")
	w.awaitParts(t, foundPart, "1 entry · −4.00")
	w.press(t, "Clear")
	w.awaitRows(t, month...)
	w.press(t, "Filter")
	w.choose(t, "Kind", "Income")
	w.awaitRows(t, "Pay +2,000.00")
	w.checkAccess(t, "filters")
	w.press(t, "Clear")
	w.fill(t, "Amount from", "29,5")
	w.keys(t, "Enter")
	w.awaitRows(t, "Rent in advance −900.00", "Train −29.50", "Pay +2,000.00")
	w.press(t, "Clear")
	w.press(t, "Filter")
}

// goThroughMonths searches further and further, and goes back and forward.
func (w *window) goThroughMonths(t *testing.T) {
	t.Helper()
	w.fill(t, "Search", "rent")
	w.awaitRows(t, "Rent in advance −900.00")
	w.press(t, "Earlier month")
	w.awaitRows(t, "Rent −800.00")
	w.press(t, "Earlier month")
	w.awaitParts(t, emptyPart, "Nothing matches in January 2026. 2 entries match in other months.")
	w.checkAccess(t, "nothing found")
	w.press(t, "Search in all months")
	everywhere := []string{"Rent in advance −900.00", "Rent −800.00"}
	w.awaitRows(t, everywhere...)
	same(t, "address", "#entries?month=all&q=rent", w.list(t).Address)
	w.do(t, "reload", nil)
	w.awaitRows(t, everywhere...)
	w.do(t, "back", nil)
	w.awaitParts(t, emptyPart, "Nothing matches in January 2026. 2 entries match in other months.")
	w.do(t, "back", nil)
	w.awaitRows(t, "Rent −800.00")
	w.do(t, "forward", nil)
	w.do(t, "forward", nil)
	w.awaitRows(t, everywhere...)
}

func (w *window) goFromCharts(t *testing.T) {
	t.Helper()
	w.follow(t, "Overview")
	w.do(t, "tap", map[string]any{"part": ".chart .name"})
	w.awaitRows(t, "Train −29.50")
	w.awaitParts(t, foundPart, "1 entry · Expenses · Transport · −29.50")
	w.do(t, "back", nil)
	w.press(t, "Earlier month")
	w.awaitParts(t, summaryPart, "Income, February", "0.00", "Spent, February", "800.00", "Upcoming, not counted yet", "−900.00")
	w.awaitParts(t, legendPart, "Income 0.00", "Spent 800.00")
	w.press(t, "Table: Income and spending by day")
	w.follow(t, "Sun 1 Feb")
	w.awaitRows(t, "Rent −800.00")
	same(t, "address", "#entries?month=2026-02&from=2026-02-01&to=2026-02-01", w.list(t).Address)
	same(t, "focus", "Entries", w.list(t).Focused)
}

// Of a long list only what is near the window is in the document, with the row that has the focus.
func TestPageKeepsTheFocusInALongList(t *testing.T) {
	const many = 400
	p, who := sqlite(t), newPerson()
	w := startBrowser(t).at(t, p, "UTC", findMoment)
	w.register(t, who)
	entries := make([][4]any, many)
	for i := range entries {
		entries[i] = [4]any{fmt.Sprint("Entry ", i), "food", "2026-03-15", i + 1}
	}
	who.account(t, p).store(t, entries...)
	w.awaitList(t, func(s listState) bool { return s.Size == fmt.Sprint(many) })

	w.do(t, "tap", map[string]any{"part": ".finder .filter-toggle"})
	w.do(t, "tap", map[string]any{"part": ".finder .filter-toggle"})
	w.keys(t, "Tab") // from there to the first row
	first := w.list(t)
	if first.Rows > 100 || first.Last {
		t.Errorf("the document has %d rows, the last one too: %v", first.Rows, first.Last)
	}
	w.do(t, "scrollTo", map[string]any{"share": 1})
	end := w.awaitList(t, func(s listState) bool { return s.Last })
	same(t, "focus at the end", first.Focused, end.Focused)
	if end.Rows > 100 {
		t.Errorf("the document has %d rows", end.Rows)
	}
	w.checkAccess(t, "the end of a long list")
	w.tabTo(t, strings.Replace(first.Focused, "Edit", "Delete", 1))
	w.keys(t, "Enter")
	after := w.awaitList(t, func(s listState) bool { return s.Focused != first.Focused && s.Size == fmt.Sprint(many-1) })
	if after.Focused == "" || after.Focused == "Entries" || after.Last {
		t.Errorf("after deleting %q the focus is on %q", first.Focused, after.Focused)
	}
}

// awaitList waits until the list is as it should be.
func (w *window) awaitList(t *testing.T, is func(listState) bool) listState {
	t.Helper()
	deadline := time.Now().Add(45 * time.Second)
	for {
		s := w.list(t)
		if is(s) {
			return s
		}
		if time.Now().After(deadline) {
			got, _ := json.Marshal(s)
			t.Fatalf("the list is %s", got)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
