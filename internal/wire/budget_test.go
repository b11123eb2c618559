package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func food() models.Budget {
	return models.Budget{
		ID: "65a0000000000000000000b1", UserID: "65a00000000000000000000f", Name: "Food", Category: "food", Amount: 300_000_000,
		Period: models.Monthly, Threshold: 80, Version: 2, CreatedAt: noon, UpdatedAt: later,
	}
}

func overdrawn() models.BudgetState {
	b := food()
	b.Start, b.End = noon, noon.AddDate(0, 6, 0)
	b.StartDay, b.EndDay = models.DayOf(b.Start, time.UTC), models.DayOf(b.End, time.UTC)
	from, to := b.Window(b.StartDay)
	return models.BudgetState{
		Budget: b, From: from, To: to, Currency: "INR", Spent: models.Sum{Units: 450, Micros: 500_000},
		Level: models.LevelExceeded, Active: true,
	}
}

// withKey returns a valid budget with one key set to a JSON value, or without the key if
// the value is "".
func withKey(key, value string) string {
	fields := [][2]string{{"name", `"Food"`}, {"category", `"food"`}, {"amount", "300"}}
	var parts []string
	for _, f := range fields {
		if f[0] != key {
			parts = append(parts, fmt.Sprintf("%q:%s", f[0], f[1]))
		}
	}
	if value != "" {
		parts = append(parts, fmt.Sprintf("%q:%s", key, value))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestParseBudgetSaysWhatIsWrong(t *testing.T) {
	const (
		categories = `"category" must be one of [food, transport, entertainment, utilities, healthcare, shopping, other, bills, education, travel, all]`
		periods    = `"period" must be one of [monthly, weekly, yearly]`
	)
	tests := []struct{ body, want string }{
		{withKey("name", ""), `"name" is required`},
		{withKey("name", `" "`), `"name" is not allowed to be empty`},
		{withKey("name", "null"), `"name" must be a string`},
		{withKey("name", quote(strings.Repeat("x", 101))), `"name" length must be less than or equal to 100 characters long`},
		{withKey("name", `"a\u0000b"`), `"name" must not contain NUL characters`},
		{withKey("category", ""), `"category" is required`},
		{withKey("category", `"fun"`), categories},
		{withKey("category", "7"), categories},
		{withKey("amount", ""), `"amount" is required`},
		{withKey("amount", "null"), `"amount" must be a number`},
		{withKey("amount", "0"), `"amount" must be a positive number`},
		{withKey("amount", "-5"), `"amount" must be a positive number`},
		{withKey("amount", "0.0000001"), `"amount" must be a positive number`},
		{withKey("amount", "9000000000001"), `"amount" must be less than or equal to 9000000000000`},
		{withKey("amount", "1e400"), `"amount" must be a safe number`},
		{withKey("period", `"daily"`), periods},
		{withKey("period", "null"), periods},
		{withKey("period", `""`), periods},
		{withKey("startDate", `"then"`), `"startDate" must be a valid date`},
		{withKey("startDate", "8640000000000000"), `"startDate" must be a valid date`},
		{withKey("endDate", "true"), `"endDate" must be a valid date`},
		{withKey("startDate", `"2026-02-01","endDate":"2026-01-31"`), `"endDate" must be greater than or equal to "startDate"`},
		{withKey("alertThreshold", "0"), `"alertThreshold" must be greater than or equal to 1`},
		{withKey("alertThreshold", "-9000000000000"), `"alertThreshold" must be greater than or equal to 1`},
		{withKey("alertThreshold", "101"), `"alertThreshold" must be less than or equal to 100`},
		{withKey("alertThreshold", "79.5"), `"alertThreshold" must be an integer`},
		{withKey("alertThreshold", "null"), `"alertThreshold" must be an integer`},
		{withKey("version", `"new"`), `"version" must be a number`},
		{withKey("deviceId", quote(strings.Repeat("d", 257))), `"deviceId" length must be less than or equal to 256 characters long`},
		{withKey("clientId", `"c"`), `"clientId" is not allowed`},
		{withKey("foo", "1"), `"foo" is not allowed`},
		{"", `"name" is required`},
		{"[]", `"value" must be of type object`},
		{"{", "Malformed JSON"},
		// The first fault in the order of fields, unknown keys last.
		{`{"foo":1,"alertThreshold":0,"period":"x","amount":0,"category":"x","name":""}`, `"name" is not allowed to be empty`},
		{`{"foo":1,"alertThreshold":0,"amount":0,"category":"food","name":"a"}`, `"amount" must be a positive number`},
	}
	for _, tt := range tests {
		_, _, err := wire.ParseBudgetDraft(json.RawMessage(tt.body))
		if got := models.Message(err); err == nil || got != tt.want || models.KindOf(err) != models.Invalid {
			t.Errorf("%.100s\n got %v\nwant %s", tt.body, err, tt.want)
		}
	}
}

func TestParseBudgetReads(t *testing.T) {
	d, meta, err := wire.ParseBudgetDraft(json.RawMessage(
		`{"name":" Food ","category":"all","amount":"300.5","deviceId":"device_1"}`))
	want := models.Budget{Name: "Food", Category: "all", Amount: 300_500_000, Period: models.Monthly, Threshold: 80}
	if diff := cmp.Diff(want, d.Budget(time.UTC)); err != nil || diff != "" || meta.DeviceID != "device_1" {
		t.Errorf("%v, %+v; defaults (-want +got):\n%s", err, meta, diff)
	}
	full := `{"name":"Food","category":"bills","amount":1e-6,"period":"weekly","startDate":"2026-01-19","endDate":1795288041640,"alertThreshold":"50","version":3}`
	p, meta, err := wire.ParseBudget(json.RawMessage(full))
	var b models.Budget
	p.Apply(&b, time.UTC)
	want = models.Budget{
		Name: "Food", Category: "bills", Amount: 1, Period: models.Weekly, Threshold: 50,
		Start: time.Date(2026, 1, 19, 0, 0, 0, 0, time.UTC), End: time.UnixMilli(1795288041640).UTC(),
		StartDay: models.Date(2026, 1, 19), EndDay: models.Date(2026, 11, 21),
	}
	if diff := cmp.Diff(want, b); err != nil || diff != "" || meta.Version == nil || *meta.Version != 3 {
		t.Errorf("%v, %+v; everything (-want +got):\n%s", err, meta, diff)
	}
}

// Fields that a PUT omits keep their value; null removes a date.
func TestParseBudgetLeavesAloneWhatIsNotNamed(t *testing.T) {
	stored := overdrawn().Budget
	for body, start := range map[string]time.Time{
		withKey("", ""): stored.Start, withKey("startDate", "null"): {}, withKey("startDate", `""`): {},
	} {
		b := stored
		p, _, err := wire.ParseBudget(json.RawMessage(body))
		p.Apply(&b, time.UTC)
		want := stored
		if want.Start = start; start.IsZero() {
			want.StartDay = 0
		}
		if diff := cmp.Diff(want, b); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", body, err, diff)
		}
	}
}

func TestABudgetsOwnDocumentIsABodyForIt(t *testing.T) {
	document, err := json.Marshal(wire.NewBudgetState(models.BudgetReport{BudgetState: overdrawn()}, nil))
	if err != nil {
		t.Fatal(err)
	}
	p, meta, err := wire.ParseBudget(document)
	if err != nil {
		t.Fatal(err)
	}
	b := overdrawn().Budget
	p.Apply(&b, time.UTC)
	if diff := cmp.Diff(overdrawn().Budget, b); diff != "" || meta.Version == nil || *meta.Version != b.Version {
		t.Errorf("it came back (-want +got):\n%s", diff)
	}
}

func TestBudgetFilter(t *testing.T) {
	monthly, over := models.BudgetReport{}, models.BudgetReport{}
	monthly.Budget.Period, monthly.Active, over.Budget.Period = models.Monthly, true, models.Weekly
	tests := []struct {
		period, active  string
		monthly, weekly bool
		err             string
	}{
		{"", "", true, true, ""},
		{"monthly", "", true, false, ""},
		{"", "true", true, false, ""},
		{"", "false", false, true, ""},
		{"yearly", "true", false, false, ""},
		{"daily", "", false, false, `"period" must be one of [monthly, weekly, yearly]`},
		{"", "1", false, false, `"active" must be a boolean`},
	}
	for _, tt := range tests {
		f, err := wire.ParseBudgetFilter(tt.period, tt.active)
		if tt.err != "" {
			if err == nil || models.Message(err) != tt.err {
				t.Errorf("%q, %q: %v", tt.period, tt.active, err)
			}
		} else if err != nil || f.Matches(monthly) != tt.monthly || f.Matches(over) != tt.weekly {
			t.Errorf("%q, %q: %v, %v and %v", tt.period, tt.active, err, f.Matches(monthly), f.Matches(over))
		}
	}
}

// Every body is refused as Invalid, or is a valid budget whose document is parsed to the
// same budget.
func FuzzParseBudget(f *testing.F) {
	for _, body := range []string{
		withKey("", ""), withKey("startDate", `"2026-01-19"`),
		withKey("alertThreshold", "1e2"), "{", "null",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		d, _, err := wire.ParseBudgetDraft(json.RawMessage(body))
		if err != nil {
			if models.KindOf(err) != models.Invalid {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		b := d.Budget(time.UTC)
		if vs := b.Check(); len(vs) > 0 {
			t.Fatalf("%q breaks %v", body, vs)
		}
		document, err := json.Marshal(wire.NewBudget(b))
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := wire.ParseBudgetDraft(document)
		if diff := cmp.Diff(b, again.Budget(time.UTC)); err != nil || diff != "" {
			t.Fatalf("%s: %v (-want +got):\n%s", document, err, diff)
		}
	})
}
