package e2e

import (
	"fmt"
	"net/http"
	"testing"
)

// On phones of every width the header is one line, eight entries are in sight, a press on one
// opens it with all that can be done with it, and nothing lies over the list for good.
func TestPageOnAPhone(t *testing.T) {
	p, b := sqlite(t), startBrowser(t)
	for _, width := range []int{320, 390, 430} {
		t.Run(fmt.Sprintf("%d pixels", width), func(t *testing.T) {
			w := b.open(t, p.url(), look{
				"viewport": map[string]int{"width": width, "height": 844}, "hasTouch": true, "isMobile": true,
			})
			who := newPerson()
			w.register(t, who)
			w.awaitText(t, "Amounts are in INR.") // which goes when one is
			a := who.account(t, p)
			a.call(t, http.MethodPatch, "/api/user/settings", map[string]any{"currency": "EUR"}).want(t, http.StatusOK)
			fill(t, a)
			w.do(t, "awaitPart", map[string]any{"part": ".row[aria-setsize='12']"})
			w.fitsAHand(t)
			w.opensEntries(t)
		})
	}
}

// fill adds a dozen entries of today.
func fill(t *testing.T, a *account) {
	t.Helper()
	for i := range 12 {
		a.create(t, fmt.Sprintf("Entry %d", i), "")
	}
}

func (w *window) fitsAHand(t *testing.T) {
	t.Helper()
	var found struct {
		Rows   int
		Header float64
		Clear  bool
		Small  []string
	}
	w.into(t, &found, "phone")
	if found.Rows < 8 || found.Header > 64 || !found.Clear || len(found.Small) > 0 {
		t.Errorf("%+v: want eight rows, a header of one line, the last row clear of the bar, nothing smaller than a finger", found)
	}
}

// opensEntries presses on a row, sees what there is to do, and deletes the entry.
func (w *window) opensEntries(t *testing.T) {
	t.Helper()
	w.do(t, "tap", map[string]any{"part": ".row"})
	w.awaitParts(t, "#editor-title", "Edit entry")
	w.awaitParts(t, ".entry-tools button", "Duplicate", "People and comments", "History", "Delete")
	w.checkAccess(t, "an opened entry")
	w.do(t, "tap", map[string]any{"part": ".entry-tools button[data-picture=delete]"})
	w.do(t, "awaitPart", map[string]any{"part": ".row[aria-setsize='11']"})
	w.press(t, "Undo")
	w.do(t, "awaitPart", map[string]any{"part": ".row[aria-setsize='12']"})
}
