package models

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSuggestedCategories(t *testing.T) {
	uses := []DescriptionUse{
		{"Uber", "transport", 4},
		{"UBER Eats dinner", "food", 9},
		{"Coffee at Joe's", "food", 2},
		{"Coffee machine", "shopping", 1},
		{"Ёлка", "shopping", 1},
		{"İş yemeği", "food", 1},
		{"Strom", "utilities", 1},
		{"STROM", "bills", 1},
	}
	tests := []struct {
		description string
		want        []Suggestion
	}{
		{"uber", []Suggestion{{"transport", 0.89, 4, true}}}, // its own entries decide alone
		{" UBER! ", []Suggestion{{"transport", 0.89, 4, true}}},
		{"ube", []Suggestion{{"food", 0.66, 9, false}, {"transport", 0.29, 4, false}}},
		{"coffee", []Suggestion{{"food", 0.55, 2, false}, {"shopping", 0.28, 1, false}}},
		{"joe coffee", []Suggestion{{"food", 0.67, 2, false}, {"shopping", 0.17, 1, false}}},
		{"ёлка", []Suggestion{{"shopping", 0.67, 1, true}}},
		{"strom", []Suggestion{{"bills", 0.4, 1, true}, {"utilities", 0.4, 1, true}}},
		{"at of in", []Suggestion{}},
		{"rent", []Suggestion{}},
		{"…", []Suggestion{}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, SuggestCategories(tt.description, uses)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.description, diff)
		}
	}
}

// The confidence stays below 1 for any number of entries.
func TestASuggestionIsNeverSure(t *testing.T) {
	for _, s := range SuggestCategories("x", []DescriptionUse{{"X", "food", 1_000_000}}) {
		if s.Confidence != 0.95 {
			t.Errorf("%+v", s)
		}
	}
}

func FuzzSuggestCategories(f *testing.F) {
	f.Add("Coffee at Joe's", "COFFEE")
	f.Add("\xff\x00", "İ")
	f.Fuzz(func(t *testing.T, asked, entry string) {
		for _, s := range SuggestCategories(asked, []DescriptionUse{{entry, "food", 1}, {asked, "other", 3}}) {
			if s.Confidence <= 0 || s.Confidence > maxConfidence || s.Entries == 0 {
				t.Errorf("%+v", s)
			}
		}
	})
}
