package e2e

import (
	"net/http"
	"testing"
)

// The keyboard alone writes an entry, completes the next from it, duplicates, changes and
// deletes, takes each back, and loses nothing that was typed.
func TestPageEntersByKeyboardAlone(t *testing.T) {
	p := sqlite(t)
	w, who := startBrowser(t).open(t, p.url(), nil), newPerson()
	w.register(t, who)
	w.enterAndComplete(t)
	w.duplicateByKeys(t)
	w.changeAndUndo(t, who.account(t, p))
	w.tryToLoseText(t)
}

func (w *window) enterAndComplete(t *testing.T) {
	t.Helper()
	w.keys(t, "n")
	w.focusIs(t, "Amount")
	w.types(t, "3.90")
	w.tabTo(t, "Currency")
	w.types(t, "dollar") // which became DOLLA
	w.tabTo(t, "Description")
	w.types(t, "Café Müller")
	w.tabTo(t, "Category")
	w.types(t, "t") // chooses by the first letter
	w.tabTo(t, "Tags, separated by commas")
	w.types(t, "work, Coffee, WORK")
	w.keys(t, "Enter")
	w.awaitParts(t, ".entry .error:not(:empty)", "DOLLAR is a name. Enter the code of three letters, such as EUR.")
	w.keys(t, "ControlOrMeta+a", "Delete", "Enter")
	w.awaitRows(t, "Café Müller −3.90")
	w.awaitParts(t, detailPart, "Transport · #work · #Coffee")

	w.tabTo(t, "Description")
	w.types(t, "muLL")
	w.awaitParts(t, ".suggestions .detail", "Transport · 3.90")
	w.keys(t, "ArrowDown")
	w.checkAccess(t, "suggestions")
	w.keys(t, "Escape")
	w.awaitParts(t, ".suggestions li")
	w.keys(t, "ArrowDown", "Enter")
	w.focusIs(t, "Amount") // selected, since it is what differs most
	w.types(t, "4")
	w.keys(t, "Enter")
	w.awaitRows(t, "Café Müller −4.00", "Café Müller −3.90")
	w.awaitParts(t, detailPart, "Transport · #work · #Coffee", "Transport · #work · #Coffee")
}

func (w *window) duplicateByKeys(t *testing.T) {
	t.Helper()
	w.tabTo(t, "Edit Café Müller")
	w.keys(t, "ArrowDown", "d")
	w.awaitText(t, "Cancel")
	w.focusIs(t, "Amount")
	w.keys(t, "Escape") // nothing was typed: it closes
	w.awaitParts(t, "dialog[open]")
	w.keys(t, "d", "ControlOrMeta+a")
	w.types(t, "5")
	w.keys(t, "Escape")
	w.awaitText(t, "Discard what you typed?")
	w.focusIs(t, "Keep editing")
	w.checkAccess(t, "the question")
	w.keys(t, "Escape")
	w.focusIs(t, "Amount")
	w.keys(t, "Enter")
	w.awaitRows(t, "Café Müller −5.00", "Café Müller −4.00", "Café Müller −3.90")
}

func (w *window) changeAndUndo(t *testing.T, a *account) {
	t.Helper()
	edit := func(amount string) {
		w.keys(t, "e", "ControlOrMeta+a")
		w.types(t, amount)
		w.keys(t, "Enter")
		w.awaitRows(t, "Café Müller −5.00", "Café Müller −4.00", "Café Müller −"+amount)
		w.awaitText(t, "Saved Café Müller")
	}
	edit("6.00") // the row that was duplicated still has the focus
	w.keys(t, "ControlOrMeta+z")
	w.awaitRows(t, "Café Müller −5.00", "Café Müller −4.00", "Café Müller −3.90")
	edit("7.00")
	w.awaitStatus(t, "Live")
	all := a.expenses(t)
	theirs := map[string]any{"description": "Café Müller", "amount": 8, "category": "food", "type": "expense"}
	a.call(t, http.MethodPut, "/api/expenses/"+all[len(all)-1].ID, theirs).want(t, http.StatusOK)
	w.awaitRows(t, "Café Müller −5.00", "Café Müller −4.00", "Café Müller −8.00")
	w.keys(t, "ControlOrMeta+z")
	w.awaitText(t, "Nothing was undone.")
	w.keys(t, "Escape", "Delete")
	w.awaitRows(t, "Café Müller −5.00", "Café Müller −4.00")
	w.keys(t, "ControlOrMeta+z")
	w.awaitRows(t, "Café Müller −5.00", "Café Müller −4.00", "Café Müller −8.00")
}

func (w *window) tryToLoseText(t *testing.T) {
	t.Helper()
	w.keys(t, "?")
	w.awaitText(t, "Duplicate the entry")
	w.checkAccess(t, "shortcuts")
	w.keys(t, "n", "Escape") // no shortcut acts behind a dialog
	w.awaitParts(t, "dialog[open]")
	w.keys(t, "n")
	w.types(t, "12") // a letter or sign in a field is no shortcut
	w.tabTo(t, "Description")
	w.types(t, "n/e?d")
	w.tabTo(t, "Menu")
	w.keys(t, "Enter")
	w.tabTo(t, "Sign out")
	w.keys(t, "Enter")
	w.focusIs(t, "Keep editing")
	w.keys(t, "Enter")
	w.awaitStatus(t, "Live")
	w.follow(t, "Overview")
	w.follow(t, "Entries")
	w.press(t, "Edit Café Müller")
	w.types(t, "x") // is no amount: the form refuses it, and it is still there
	w.keys(t, "Enter")
	w.awaitParts(t, ".editor .error:not(:empty)", "Enter the number alone, such as 12.50. The currency has a field of its own.")
	w.types(t, "y")
	w.do(t, "clickAt", map[string]any{"x": 5, "y": 5}) // outside of the dialog
	w.focusIs(t, "Keep editing")
	w.keys(t, "Enter")
	for range 2 { // Back means the dialog, not the page behind it
		w.do(t, "back", nil)
		w.focusIs(t, "Keep editing")
		w.keys(t, "Enter")
	}
	w.press(t, "Cancel")
	w.focusIs(t, "Keep editing")
	w.press(t, "Discard")
	w.awaitParts(t, "dialog[open]")
	same(t, "address", "#entries", w.list(t).Address)
	w.press(t, "Sign out")
	w.press(t, "Discard")
	w.awaitText(t, "New here?")
}
