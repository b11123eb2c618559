package e2e

import (
	"fmt"
	"net/http"
	"testing"
)

// A language that is written from right to left and needs more letters than English fits on the
// page, on phones of every width and on a desktop.
func TestPageFitsALanguageFromRightToLeft(t *testing.T) {
	p, b := sqlite(t), startBrowser(t)
	for _, width := range []int{320, 430, 1280} {
		t.Run(fmt.Sprintf("%d pixels", width), func(t *testing.T) {
			w := b.open(t, p.url(), look{
				"viewport": map[string]int{"width": width, "height": 844}, "locale": "ar-EG", "serviceWorkers": "block",
			})
			w.lookRound(t, p, width < 500)
		})
	}
}

func (w *window) lookRound(t *testing.T, p *program, phone bool) {
	t.Helper()
	who := newPerson()
	w.register(t, who)
	a := who.account(t, p)
	a.spend(t, "food", 1234.5)
	budget := map[string]any{"name": "عشاء مع سارة", "category": "food", "amount": 1000}
	a.call(t, http.MethodPost, "/api/budgets", budget).want(t, http.StatusCreated)
	w.do(t, "mirror", nil)
	w.fits(t, "entries", ".row")
	if phone {
		w.fits(t, "a new entry", "dialog[open] form", ".add")
		w.keys(t, "Escape")
	}
	w.fits(t, "the menu", "#menu button", ".menu-button")
	w.fits(t, "the account", "dialog[open] form", "#menu > button:not([hidden])")
	w.keys(t, "Escape")
	w.fits(t, "notifications", "dialog[open] h2", ".bell")
	w.keys(t, "Escape")
	w.fits(t, "overview", ".budget", ".views a:last-child")
	w.checkAccess(t, "overview, from right to left")
	w.fits(t, "the form of a budget", "dialog[open] form", ".budget-list header button")
	w.keys(t, "Escape")
}

// fits fails the test for each part of the page that does not fit, after a press on what CSS
// finds, once a part is there.
func (w *window) fits(t *testing.T, state, part string, press ...string) {
	t.Helper()
	for _, button := range press {
		w.do(t, "tap", map[string]any{"part": button})
	}
	w.do(t, "awaitPart", map[string]any{"part": part})
	var spilled []string
	w.into(t, &spilled, "spilled")
	for _, s := range spilled {
		t.Errorf("%s: %s", state, s)
	}
}
