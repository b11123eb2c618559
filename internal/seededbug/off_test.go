//go:build !seededbugs

package seededbug_test

import (
	"testing"

	"expenseflow/internal/seededbug"
)

func TestWithoutTheTagThereIsNoBug(t *testing.T) {
	for _, b := range seededbug.Bugs {
		t.Setenv("SEEDED_BUG", string(b))
		if seededbug.Enabled(b) {
			t.Errorf("%s is in the program", b)
		}
	}
}
