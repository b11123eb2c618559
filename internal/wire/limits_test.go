package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func TestCheckDataCountsLevelsOutsideOfTexts(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	tests := []struct {
		name, data string
		want       models.Kind // Internal for none
	}{
		{"as deep as may be", deep(wire.MaxDepth), models.Internal},
		{"too deep", deep(wire.MaxDepth + 1), models.Invalid},
		{"brackets in a text", `{"a":"` + strings.Repeat("[", 100) + `\"[[["}`, models.Internal},
		{"siblings", "[" + strings.Repeat("[],", 100) + "[]]", models.Internal},
		{"as long as may be", `"` + strings.Repeat("x", wire.MaxDataBytes-2) + `"`, models.Internal},
		{"too long", `"` + strings.Repeat("x", wire.MaxDataBytes-1) + `"`, models.TooLarge},
		{"nothing", "", models.Internal},
	}
	for _, tt := range tests {
		if err := wire.CheckData(json.RawMessage(tt.data)); (err != nil) != (tt.want != models.Internal) ||
			models.KindOf(err) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// Bodies of single requests and arguments of commands have the same bounds.
func TestADeepBodyIsRefusedBeforeItIsTakenApart(t *testing.T) {
	body := json.RawMessage(`{"description":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `}`)
	for name, parse := range map[string]func() error{
		"POST":           func() error { _, _, err := wire.ParseDraft(body); return err },
		"PUT":            func() error { _, _, err := wire.ParseFullPatch(body); return err },
		"expense:create": func() error { _, _, err := wire.ParseCommandDraft(body); return err },
		"expense:update": func() error { _, _, err := wire.ParseCommandPatch(body); return err },
		"DELETE":         func() error { _, err := wire.ParseMeta(body); return err },
		"budget":         func() error { _, _, err := wire.ParseBudget(body); return err },
		"room:join":      func() error { _, err := wire.ParseRoom(body, true); return err },
		"login":          func() error { _, _, err := wire.ParseLogin(body); return err },
	} {
		if err := parse(); models.KindOf(err) != models.Invalid || !strings.Contains(err.Error(), "32 levels") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
