package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// upload chooses a file for the control of this label.
func (w *window) upload(t *testing.T, label, name, content string) {
	t.Helper()
	w.do(t, "upload", map[string]any{"label": label, "name": name, "value": content})
}

// A download is a file that the page saved.
type download struct{ Name, Content string }

// download presses a button that saves a file.
func (w *window) download(t *testing.T, button string) (d download) {
	t.Helper()
	if err := json.Unmarshal(w.do(t, "download", map[string]any{"name": button}), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// exports saves the account as a table and as JSON, and imports the latter again, which changes nothing.
func (w *window) exports(t *testing.T) {
	t.Helper()
	w.press(t, "Export")
	w.checkAccess(t, "exporting")
	if d := w.download(t, "Entries (CSV)"); !strings.HasSuffix(d.Name, ".csv") || !strings.Contains(d.Content, "Tea") {
		t.Errorf("the table is %+v, want one with the tea", d)
	}
	all := w.download(t, "Everything (JSON)")
	w.awaitText(t, "Saved as "+all.Name+".")
	w.press(t, "Close")
	w.press(t, "Import")
	w.upload(t, "Choose a file, or drop it here", all.Name, all.Content)
	w.awaitText(t, "An export of this program: 0 new, 0 changed, 2 already here, 0 refused, 0 of other people.")
	w.checkAccess(t, "the preview of an export")
	w.press(t, "Close")
}

// A file is previewed, its dates are read as the user decides, its entries come to another device,
// are exported, and go again when the import is undone.
func TestPageImportsAFileAndUndoesIt(t *testing.T) {
	p, who := start(t), newPerson()
	b := startBrowser(t)
	one, other := b.at(t, p, "UTC", bookMoment), b.at(t, p, "UTC", bookMoment)
	one.register(t, who)
	other.signIn(t, who)
	one.press(t, "Import")
	one.checkAccess(t, "before a file")
	const march = "Date,Text,Amount\n03/04/2026,Tea,-1.00\n03/05/2026,Pay,1900.00\nTotal,,1899\n"
	one.upload(t, "Choose a file, or drop it here", "march.csv", march)
	one.awaitText(t, "3 rows: 2 new, 0 already here, 1 not readable.")
	one.awaitText(t, "The dates may begin with the day or with the month: choose their order.")
	one.checkAccess(t, "a question")
	one.choose(t, "Order of dates", "Day, month, year")
	one.awaitText(t, "3 Apr 2026 · Line 2")
	one.choose(t, "Order of dates", "Month, day, year")
	one.awaitText(t, "4 Mar 2026 · Line 2")
	one.checkAccess(t, "the preview")
	one.press(t, "Import 2 entries")
	one.awaitText(t, "2 entries were imported. Already here: 0. Refused: 1.")
	other.awaitRows(t, "Pay +1,900.00", "Tea −1.00")
	other.exports(t)
	one.press(t, "Undo import")
	one.awaitText(t, "Undone. Entries removed: 2. Kept, because they have been changed since: 0.")
	one.checkAccess(t, "undone")
	other.awaitRows(t)
}
