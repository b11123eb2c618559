package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func holiday() models.Goal {
	return models.Goal{
		ID: "65a000000000000000000a01", UserID: "65a00000000000000000000f", Title: "Holiday", Description: "At the sea",
		Target: 1_200_000_000, Current: 300_500_000,
		Type: "savings", Category: "travel", TargetDate: noon.AddDate(1, 0, 0), Priority: "high", Status: models.GoalActive,
		Reminder: "weekly",
		Milestones: []models.Milestone{
			{ID: "65a000000000000000000a11", Amount: 300_000_000, Date: noon, AchievedAt: later},
			{ID: "65a000000000000000000a12", Amount: 600_000_000, Date: later},
		},
		Version: 3, CreatedAt: noon, UpdatedAt: later,
	}
}

// Every body is refused as Invalid, or is a valid goal whose document is parsed to the same
// goal.
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
