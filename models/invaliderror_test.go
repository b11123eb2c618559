package models_test

import (
	"strings"
	"testing"

	"expenseflow/models"
)

// A kilobyte of a client's names of fields reached the log.
func TestNamesThatClientsChooseAreCutInErrors(t *testing.T) {
	violations := []models.Violation{{Field: "amount", Rule: models.RuleOrder}}
	for range 500 {
		violations = append(violations, models.Violation{Field: strings.Repeat("é", 1000), Rule: models.RuleSupported})
	}
	got := models.InvalidIf(violations).Error()
	if len(got) > 1500 || !strings.HasPrefix(got, "amount: ") || strings.ToValidUTF8(got, "") != got ||
		!strings.HasSuffix(got, "and more") {
		t.Errorf("%d bytes: %.200s", len(got), got)
	}
}
