package ledger_test

import (
	"math"
	"strings"
	"testing"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// A version that cannot grow makes the next change of the entry fail, or its number negative.
func TestAnImportedVersionLeavesRoomForTheNext(t *testing.T) {
	each(t, func(h *fixture) {
		r := lunchRecord(storetest.ID(), at(5))
		r.Version = math.MaxInt64
		h.apply(h.user.ID, keepIDs, ledger.Record{Expense: r})
		if e, err := h.store.ExpenseOf(h.t.Context(), h.user.ID, r.ID); err != nil || e.Version != 1 {
			h.t.Errorf("version %d, %v", e.Version, err)
		}
	})
}

// Import is a way around what requests check only if it checks as they do.
func TestImportedTextsHaveTheBoundsOfThoseInRequests(t *testing.T) {
	each(t, func(h *fixture) {
		long := strings.Repeat("x", 1<<20)
		operation := func(key, failed string) ledger.Record {
			return ledger.Record{Operation: &models.QueuedOperation{
				ID: storetest.ID(), Key: key, CreatedAt: at(1), Result: models.Result{Error: failed},
				Operation: models.Operation{Action: models.Update, ResourceType: "expense", ResourceID: storetest.ID()},
			}}
		}
		preferences := func(change func(*models.NotificationPreferences)) ledger.Record {
			p := models.DefaultPreferences()
			change(&p)
			return ledger.Record{Preferences: &p}
		}
		got, _ := h.apply(h.user.ID, ledger.ImportOptions{}, operation(long, ""), operation("", long),
			preferences(func(p *models.NotificationPreferences) { p.Quiet.Start = long }),
			preferences(func(p *models.NotificationPreferences) {
				p.Email.Types = strings.Split(strings.Repeat(models.NotifySystem+" ", 50)+models.NotifySystem, " ")
			}),
			preferences(func(p *models.NotificationPreferences) { p.Email.Secret, p.Push.URL, p.SMS.Secret = long, long, long }))
		h.wantOutcomes(got, ledger.ImportRefused, ledger.ImportNew, ledger.ImportRefused, ledger.ImportRefused, ledger.ImportNew)
		p, err := h.store.Preferences(h.t.Context(), h.user.ID)
		if err != nil || p.Email.Secret+p.Push.URL+p.SMS.Secret != "" {
			h.t.Errorf("of another channel: %d bytes, %v", len(p.Email.Secret), err)
		}
	})
}
