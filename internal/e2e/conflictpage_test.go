package e2e

import (
	"fmt"
	"slices"
	"testing"
)

// Parts of the page around changes that were not accepted and histories, as CSS finds them.
const (
	decisionsPart = ".decision legend"
	chosenPart    = ".decision :checked + span > b"
	changesPart   = ".history > :not(:last-child) .is" // without the creation
)

// Two devices change the same entry: the person on the one that was offline chooses field by
// field what holds, both show it, and the history has all of it.
func TestPageMergesTwoChangesOfAnEntry(t *testing.T) {
	p := sqlite(t)
	x := startProxy(t, p)
	who, one, other := twoWindows(t, startBrowser(t), x.URL())
	one.add(t, "Lunch", "12.50")
	other.awaitRows(t, "Lunch −12.50")
	conflict := func(mine, theirs string) {
		one.offline(t, true)
		one.edit(t, "Lunch", "Amount", mine)
		other.edit(t, "Lunch", "Amount", theirs)
		other.awaitRows(t, "Lunch −"+theirs+".00")
		one.offline(t, false)
		one.awaitText(t, "1 change needs your decision")
		one.awaitRows(t, "Lunch −"+theirs+".00")
	}
	conflict("13", "14")
	one.checkAccess(t, "a parked change")
	one.press(t, "Discard: Change Lunch, 13.00")
	one.awaitText(t, "Discarded: Change Lunch, 13.00")

	conflict("15", "16")
	other.edit(t, "Lunch", "Description", "Dinner")
	one.awaitRows(t, "Dinner −16.00")
	one.press(t, "Compare: Change Lunch, 15.00")
	one.awaitParts(t, decisionsPart, "Description", "Amount")
	one.awaitParts(t, chosenPart, "Your Chrome on Linux")
	one.checkAccess(t, "two changes side by side")
	one.press(t, "Save merged")
	one.awaitText(t, "Choose one.")
	one.keys(t, "Space") // the focus is at the choice that is missing
	one.awaitParts(t, chosenPart, "Your Chrome on Linux", "This device")
	one.press(t, "Save merged")
	one.awaitText(t, "Saved: Dinner")
	one.awaitRows(t, "Dinner −15.00")
	other.awaitRows(t, "Dinner −15.00")

	for _, w := range []*window{one, other} {
		w.press(t, "Edit Dinner")
		w.press(t, "History")
		w.awaitText(t, "added it")
		w.awaitParts(t, changesPart, "now: 15.00", "now: Dinner", "now: 16.00", "now: 14.00")
	}
	one.checkAccess(t, "a history")
	for _, w := range []*window{one, other} {
		w.keys(t, "Escape", "Escape")
	}
	a := who.account(t, p)
	decideOnMany(t, a, x, one)
	decideOnWhatIsGone(t, a, one, other)
}

// decideOnMany retries and discards more changes than one page of the list has.
func decideOnMany(t *testing.T, a *account, x *proxy, one *window) {
	t.Helper()
	var ops []operation
	for i := range 30 {
		ops = append(ops, a.queued("CREATE", fmt.Sprint("temp_", i), map[string]any{"amount": i}))
	}
	for chunk := range slices.Chunk(ops, 10) {
		a.batch(t, chunk...)
	}
	one.awaitText(t, "30 changes need your decision")
	one.press(t, "Retry all")
	one.awaitText(t, "0 accepted, 30 still need you")
	one.press(t, "Discard all")
	one.awaitText(t, "Discard 30 changes?")
	one.checkAccess(t, "a question")
	x.SetSilent(true)
	one.keys(t, "Tab", "Enter")
	one.awaitText(t, "0 of 30") // after two seconds
	x.SetSilent(false)
	one.awaitText(t, "30 changes discarded")
}

// decideOnWhatIsGone decides on changes of an entry that is nowhere, and of one that was deleted.
func decideOnWhatIsGone(t *testing.T, a *account, one, other *window) {
	t.Helper()
	a.batch(t, a.queued("UPDATE", "0123456789abcdef01234567", map[string]any{"amount": 5}))
	one.press(t, "Compare: Change 5.00")
	one.awaitText(t, "This entry was deleted, or is no longer shared with you.")
	one.press(t, "Drop my change")
	one.awaitText(t, "Kept as it is: an entry")

	one.add(t, "Tea", "4")
	other.awaitRows(t, "Tea −4.00", "Dinner −15.00")
	one.offline(t, true)
	one.edit(t, "Tea", "Amount", "5")
	other.press(t, "Delete Tea")
	other.awaitRows(t, "Dinner −15.00")
	one.offline(t, false)
	one.press(t, "Compare: Change 5.00")
	one.awaitText(t, "deleted this entry")
	one.press(t, "Add it again with my change")
	one.awaitText(t, "Saved: Tea")
	other.awaitRows(t, "Tea −5.00", "Dinner −15.00")
}
