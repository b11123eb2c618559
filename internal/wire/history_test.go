package wire_test

import (
	"strings"
	"testing"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func TestAHistoryTellsOfTags(t *testing.T) {
	before, after := lunch(), lunch()
	before.Tags, after.Tags = "work\nlunch", ""
	before.Version = 2 // differs, as of an update
	for _, tt := range []struct {
		from, to models.Expense
		want     string
	}{
		{before, after, `"changes":[{"field":"tags","from":["work","lunch"],"to":null}]`},
		{after, before, `"changes":[{"field":"tags","from":null,"to":["work","lunch"]}]`},
	} {
		h := models.History{Entries: []models.HistoryEntry{{
			Change: models.Change{Kind: models.ExpenseUpdated, EntityID: tt.to.ID, Expense: tt.to},
			Before: &models.Change{Expense: tt.from},
		}}}
		if got := string(wire.AppendHistory(nil, tt.to.ID, &h)); !strings.Contains(got, tt.want) {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
