package e2e

import "testing"

// upload chooses a file for the control of this label.
func (w *window) upload(t *testing.T, label, name, content string) {
	t.Helper()
	w.do(t, "upload", map[string]any{"label": label, "name": name, "value": content})
}

// A file is previewed, its dates are read as the user decides, its entries come to another device,
// and go again when the import is undone.
func TestPageImportsAFileAndUndoesIt(t *testing.T) {
	p, who := start(t), newPerson()
	b := startBrowser(t)
	one, other := b.at(t, p, "UTC", bookMoment), b.at(t, p, "UTC", bookMoment)
	one.register(t, who)
	other.signIn(t, who)
	one.press(t, "Import")
	one.checkAccess(t, "before a file")
	one.upload(t, "Choose a file, or drop it here", "march.csv", "Date,Text,Amount\n03/04/2026,Tea,-1.00\n03/05/2026,Pay,1900.00\nTotal,,1899\n")
	one.awaitText(t, "3 rows: 2 new, 0 already here, 1 not readable.")
	one.awaitText(t, "The dates may begin with the day or with the month: choose their order.")
	one.checkAccess(t, "a question")
	one.choose(t, "Order of dates", "Day, month, year")
	one.awaitText(t, "3 Apr 2026 · Other · Line 2")
	one.choose(t, "Order of dates", "Month, day, year")
	one.awaitText(t, "4 Mar 2026 · Other · Line 2")
	one.checkAccess(t, "the preview")
	one.press(t, "Import 2 entries")
	one.awaitText(t, "2 entries were imported. Already here: 0. Refused: 1.")
	other.awaitRows(t, "Pay +1,900.00", "Tea −1.00")
	one.press(t, "Undo import")
	one.awaitText(t, "Undone. Entries removed: 2. Kept, because they have been changed since: 0.")
	one.checkAccess(t, "undone")
	other.awaitRows(t)
}
