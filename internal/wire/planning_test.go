package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// Whatever arrives is refused as Invalid, or is a goal that keeps every rule and
// comes back from its own document.
func FuzzParseGoal(f *testing.F) {
	for _, body := range []string{
		`{"title":"A","targetAmount":1,"goalType":"savings","targetDate":"2026-12-31"}`,
		`{"title":"A","targetAmount":"1e3","currentAmount":0.5,"goalType":"savings","targetDate":1768824000000,"milestones":[{"amount":1,"date":"2026-01-01"}]}`,
		`{"milestones":[{}]}`, "{", "null",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p, _, err := wire.ParseGoal(json.RawMessage(body))
		if err != nil {
			if models.KindOf(err) != models.Invalid {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		g := p.Goal()
		if vs := g.Check(); len(vs) > 0 {
			t.Fatalf("%q breaks %v", body, vs)
		}
		document, err := json.Marshal(wire.NewGoal(g))
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := wire.ParseGoal(document)
		back := again.Goal()
		if len(back.Milestones) == 0 {
			back.Milestones = g.Milestones
		}
		if diff := cmp.Diff(g, back); err != nil || diff != "" {
			t.Fatalf("%s: %v (-want +got):\n%s", document, err, diff)
		}
	})
}

// Whatever arrives is refused as Invalid or as not built, or is a change whose result
// comes back from its own document.
func FuzzParsePreferences(f *testing.F) {
	for _, body := range []string{
		`{"channels":{"push":{"enabled":false,"types":["system"],"subscription":null},"sms":{"phoneNumber":"+4912345"}}}`,
		`{"quietHours":{"enabled":true,"start":"7:30","end":"","timezone":"Europe/Berlin"},"frequency":{"budget_alerts":"daily"}}`,
		`{"channels":{"push":{"subscription":{}}}}`, "{", "null",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		change, err := wire.ParsePreferences(json.RawMessage(body))
		if err != nil {
			if k := models.KindOf(err); k != models.Invalid && k != models.NotBuilt {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		p := models.DefaultPreferences()
		change(&p)
		document, err := json.Marshal(wire.NewPreferences(models.User{ID: "65a00000000000000000000f"}, p))
		if err != nil {
			t.Fatal(err)
		}
		again, err := wire.ParsePreferences(document)
		if err != nil {
			t.Fatalf("%s: %v", document, err)
		}
		back := models.DefaultPreferences()
		again(&back)
		if diff := cmp.Diff(p, back); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", document, diff)
		}
	})
}

// A page's form has empty fields; what it does not name stays.
func TestPreferencesThatAreNotNamedStay(t *testing.T) {
	change, err := wire.ParsePreferences(json.RawMessage(`{"channels":{"webhook":{"url":""}},"frequency":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	p := models.DefaultPreferences()
	p.Webhook.URL, p.Webhook.Secret, p.Frequency.BudgetAlerts = "https://example.org", "s", "weekly"
	want := p
	want.Webhook.URL = ""
	if change(&p); !cmp.Equal(want, p) {
		t.Error(cmp.Diff(want, p))
	}
}
