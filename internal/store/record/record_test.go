package record_test

import (
	"encoding/json"
	"testing"
	"time"

	"expenseflow/internal/store/record"
	"expenseflow/models"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestResultsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := models.Result{
			ResourceID: rapid.String().Draw(t, "resource"), Status: models.StatusCreated,
			Expense: anyExpense(t), Current: anyExpense(t), Error: rapid.String().Draw(t, "error"),
		}
		b := record.Encode(want)
		if !json.Valid([]byte(b)) {
			t.Fatalf("%s is no JSON", b)
		}
		var got models.Result
		err := record.Decode([]byte(b), &got)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("%s: %v\n%s", b, err, diff)
		}
	})
}

func anyExpense(t *rapid.T) *models.Expense {
	text := func(name string) string { return rapid.String().Draw(t, name) }
	moment := func(name string) time.Time {
		return time.UnixMilli(rapid.Int64Range(-1<<40, 1<<42).Draw(t, name)).UTC()
	}
	return rapid.OneOf(rapid.Just[*models.Expense](nil), rapid.Just(&models.Expense{
		ID: text("id"), UserID: text("user"), Description: text("description"),
		Amount: models.Money(rapid.Int64().Draw(t, "amount")), Category: text("category"), Type: text("type"),
		Date: moment("date"), Day: models.Day(rapid.Int64Range(-1<<20, 1<<22).Draw(t, "day")), Currency: text("currency"),
		Merchant: text("merchant"), Notes: text("notes"), Tags: models.NewTags(rapid.SliceOf(rapid.String()).Draw(t, "tags")),
		Version: rapid.Int64().Draw(t, "version"), LastSyncedAt: moment("synced"),
		CreatedAt: moment("created"), UpdatedAt: moment("updated"),
	})).Draw(t, "expense")
}

// Rows live for months: what was kept is read under the same names for ever.
func TestRecordsOfEarlierProgramsAreRead(t *testing.T) {
	at := time.UnixMilli(1_795_288_041_640).UTC()
	const times = `"date":1795288041640,"synced":1795288041640,"created":1795288041640,"updated":1795288041640`
	want := models.Expense{
		ID: "e", UserID: "u", Description: "<Lunch>", Amount: 12_340_000, Category: "food", Type: "expense", Version: 2,
		Date: at, Day: models.DayOf(at, time.UTC), LastSyncedAt: at, CreatedAt: at, UpdatedAt: at,
		Role: models.RoleViewer, SharedBy: "Ann",
	}
	kept := `{"id":"e","user":"u","description":"<Lunch>","amount":12340000,"category":"food","type":"expense",` + times +
		`,"version":2,"role":"viewer","by":"Ann"` // and no day: it is older than days
	for name, text := range map[string]string{
		"as it was": kept + "}", "with what is unknown": kept + `,"later":{"x":1}}`, "written anew": record.Encode(want),
	} {
		var got models.Expense
		if err := record.Decode([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: %v\n%s", name, err, cmp.Diff(want, got))
		}
	}
}

// What is not kept of settings, because it is newer than they are, has its default.
func TestWhatARecordDoesNotNameStays(t *testing.T) {
	p := models.DefaultPreferences()
	err := record.Decode([]byte(`{"push":{"enabled":false,"types":[]},"email":{"enabled":true}}`), &p)
	if err != nil || p.Push.Enabled || len(p.Push.Types) != 0 || p.Frequency.BudgetAlerts != "immediate" || len(p.Email.Types) == 0 {
		t.Errorf("%v: %+v", err, p)
	}
}
