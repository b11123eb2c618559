package models_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/models"
)

func good() models.Draft {
	return models.Draft{Description: "Lunch", Amount: 12_500_000, Category: "food", Type: "expense"}
}

func TestDraftRules(t *testing.T) {
	change := func(f func(*models.Draft)) models.Draft { d := good(); f(&d); return d }
	tests := []struct {
		name  string
		draft models.Draft
		want  []models.Violation
	}{
		{"good", good(), nil},
		{"a hundred units", change(func(d *models.Draft) { d.Description = strings.Repeat("😀", 50) }), nil},
		{"optional texts", change(func(d *models.Draft) { d.Currency, d.Merchant, d.Notes = "USD", "M", "n" }), nil},
		{"empty", models.Draft{}, []models.Violation{
			{Field: "description", Rule: models.RuleEmpty},
			{Field: "amount", Rule: models.RuleMin, Value: "0"},
			{Field: "category", Rule: models.RuleOneOf},
			{Field: "type", Rule: models.RuleOneOf},
		}},
		{"too long", change(func(d *models.Draft) { d.Merchant = strings.Repeat("m", 51) }), []models.Violation{
			{Field: "merchant", Rule: models.RuleTooLong, Limit: 50, Value: strings.Repeat("m", 51)},
		}},
		{"NUL", change(func(d *models.Draft) { d.Notes = "a\x00" }), []models.Violation{{Field: "notes", Rule: models.RuleNUL}}},
		{"ten tags", change(func(d *models.Draft) { d.Tags = tags(10, 30) }), nil},
		{"eleven tags", change(func(d *models.Draft) { d.Tags = tags(11, 2) }), []models.Violation{
			{Field: "tags", Rule: models.RuleTooMany, Limit: 10},
		}},
		{"a long tag", change(func(d *models.Draft) { d.Tags = tags(1, 31) }), []models.Violation{
			{Field: "tags", Rule: models.RuleTooLong, Limit: 30, Value: string(tags(1, 31))},
		}},
		{"NUL in a tag", change(func(d *models.Draft) { d.Tags = "a\x00" }), []models.Violation{{Field: "tags", Rule: models.RuleNUL}}},
		{"too much", change(func(d *models.Draft) { d.Amount = models.MaxAmount + 1 }), []models.Violation{
			{Field: "amount", Rule: models.RuleMax, Value: "9000000000000.000001"},
		}},
		{"no date of ours", change(func(d *models.Draft) { far := time.UnixMilli(8.64e15); d.Date = &far }), []models.Violation{
			{Field: "date", Rule: models.RuleDate, Value: "8640000000000000"},
		}},
		{"currency", change(func(d *models.Draft) { d.Currency = "US1" }), []models.Violation{
			{Field: "currency", Rule: models.RuleCurrency, Value: "US1"},
		}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.draft.Check()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestNormalize(t *testing.T) {
	at := time.Date(2026, 1, 19, 13, 0, 0, 1_999_999, time.FixedZone("", 3600))
	d := models.Draft{Description: "\ufeff Lunch\u00a0", Currency: " usd ", Merchant: "\tM", Notes: "n\n", Date: &at}.Normalize()
	cut := time.Date(2026, 1, 19, 12, 0, 0, 1_000_000, time.UTC)
	want := models.Draft{Description: "Lunch", Currency: "USD", Merchant: "M", Notes: "n", Date: &cut}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("draft (-want +got):\n%s", diff)
	}
	if got := models.Trim("\u0085x"); got != "\u0085x" {
		t.Errorf("a browser does not trim NEL, but we got %q", got)
	}
}

func TestPatchTouchesOnlyWhatItNames(t *testing.T) {
	e := models.Expense{Description: "Lunch", Amount: 1, Category: "food", Type: "expense", Merchant: "M", Version: 3}
	want := e
	none := ""
	models.Patch{Merchant: &none}.Apply(&e, time.UTC)
	want.Merchant = ""
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("expense (-want +got):\n%s", diff)
	}
}

func TestInvalidErrorIsInvalid(t *testing.T) {
	err := models.InvalidIf(models.Draft{}.Check())
	if models.KindOf(err) != models.Invalid {
		t.Errorf("got kind %d of %v", models.KindOf(err), err)
	}
	if want := "description: empty, amount: min, category: one_of, type: one_of"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if err := models.InvalidIf(nil); err != nil {
		t.Errorf("no violation gave %v", err)
	}
	var broken *models.InvalidError
	if !errors.As(err, &broken) || len(broken.Violations) != 4 {
		t.Errorf("lost the violations of %v", err)
	}
}

func TestD7EmailSyntax(t *testing.T) {
	for _, s := range []string{
		"a@b.co", "a@b.test", "a@b.local", "a@b.example", "a+b.c@d-e.co.uk", "ü@ü.de", "o'neil@b.co",
		"a@b.museum",
	} {
		if vs := models.CheckEmail(s); vs != nil {
			t.Errorf("%s was refused: %v", s, vs)
		}
	}
	bad := []string{
		"a", "a@", "@b.co", "a@b", "a@@b.co", "a b@c.de", "a..b@c.de", ".a@c.de", "a.@c.de", "a@c..de", "a@b.co.", "a@-c.de", "a@c-.de",
		"a@1.2.3.4", "a@b_c.de", "a\x00@b.co", "a\u00a0@b.co", "a@b\u2003.co",
		strings.Repeat("a", 65) + "@b.co", "a@" + strings.Repeat("b", 64) + ".co", "a@" + strings.Repeat("b.", 130) + "co",
	}
	for _, s := range bad {
		if vs := models.CheckEmail(s); len(vs) != 1 || vs[0].Rule != models.RuleEmail {
			t.Errorf("%q: got %v", s, vs)
		}
	}
	if got := models.NormalizeEmail(" A@B.Co "); got != "a@b.co" {
		t.Errorf("got %q", got)
	}
}

func TestRegistrationRules(t *testing.T) {
	r := models.Registration{Name: " Al ", Email: " A@B.co", Password: " p "}.Normalize()
	if r.Name != "Al" || r.Email != "a@b.co" || r.Password != " p " {
		t.Errorf("normalized to %+v", r)
	}
	tests := []struct {
		r    models.Registration
		want []models.Violation
	}{
		{models.Registration{Name: "Al", Email: "a@b.co", Password: "secret"}, nil},
		{models.Registration{}, []models.Violation{
			{Field: "name", Rule: models.RuleEmpty}, {Field: "email", Rule: models.RuleEmpty}, {Field: "password", Rule: models.RuleEmpty},
		}},
		{models.Registration{Name: strings.Repeat("n", 51), Email: "a@b.co", Password: "12345"}, []models.Violation{
			{Field: "name", Rule: models.RuleTooLong, Limit: 50, Value: strings.Repeat("n", 51)},
			{Field: "password", Rule: models.RuleTooShort, Limit: 6},
		}},
		{models.Registration{Name: "A\x00l", Email: "a@b.co", Password: "secret\x00"}, []models.Violation{
			{Field: "name", Rule: models.RuleNUL}, {Field: "password", Rule: models.RuleNUL},
		}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.r.Check(models.MinPassword)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.r, diff)
		}
	}
}

func TestID24(t *testing.T) {
	for s, want := range map[string]bool{
		"65a000000000000000000001": true, "65A000000000000000000001": false, "65a00000000000000000000": false,
		"temp_1795288041640": false, "": false, "65a00000000000000000000g": false,
	} {
		if models.IsID(s) != want {
			t.Errorf("%q: got %v", s, !want)
		}
	}
}

// İvan@example.org was taken for ivan@example.org, and so a share went to
// somebody else's account.
func TestAddressesThatDifferOutsideASCIIAreTwo(t *testing.T) {
	tests := map[string]string{
		" Ivan@Example.ORG ":       "ivan@example.org",
		"\u0130van@example.org":    "\u0130van@example.org",
		"jac\u212A@example.org":    "jac\u212A@example.org",
		"\u00C4PFEL@example.org":   "\u00E4pfel@example.org",
		"\u039F\u03A3@example.org": "\u03BF\u03C3@example.org",
	}
	for typed, want := range tests {
		if got := models.NormalizeEmail(typed); got != want {
			t.Errorf("NormalizeEmail(%q) = %q, want %q", typed, got, want)
		}
		if again := models.NormalizeEmail(want); again != want {
			t.Errorf("NormalizeEmail(%q) = %q, not itself", want, again)
		}
	}
}
