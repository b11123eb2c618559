package main

import (
	"testing"

	"expenseflow/internal/e2e/process"
)

// Cheap entries find nothing in the program as it is, and can be tried at all.
func TestCheapEntriesAreMended(t *testing.T) {
	binary, err := process.Build(t.Context(), t.TempDir(), "expenseflow")
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := choose([]string{"attack-5", "attack-16", "fault-4", "fault-15a", "suite-5"})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range chosen {
		if observed, judgement := e.judge(t.Context(), binary); judgement != mended {
			t.Errorf("%s, %s: %s: %s", e.id, e.about, judgement, observed)
		}
	}
}

func TestEntriesHaveOneName(t *testing.T) {
	all, _ := choose(nil)
	seen := map[string]bool{}
	for _, e := range all {
		if seen[e.id] || (e.try == nil) == (e.see == "") {
			t.Errorf("%s is there twice, or is neither tried nor shown by a test", e.id)
		}
		seen[e.id] = true
	}
}
