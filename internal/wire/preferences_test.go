package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// Every body is refused as Invalid or NotImplemented, or is a change whose result is valid
// and whose document is parsed to the same preferences.
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
			if k := models.KindOf(err); k != models.Invalid && k != models.NotImplemented {
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
