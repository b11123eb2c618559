package wire

import (
	"strconv"

	"expenseflow/models"
)

// Limits of a description that categories are suggested for, in UTF-16 units.
const (
	minSuggested = 2
	maxSuggested = 500
)

// ParseSuggested reads the parameter description of GET /api/categorization/suggest.
// Errors are models.Invalid in the original's words.
func ParseSuggested(description string) (string, error) {
	s := models.Trim(description)
	switch n := models.UTF16Len(s); {
	case description == "":
		return "", invalid("Description is required")
	case n < minSuggested:
		return "", invalid("Description must be at least 2 characters")
	case n > maxSuggested:
		return "", invalid("Description must not exceed 500 characters")
	}
	return s, nil
}

// Suggested is the answer to GET /api/categorization/suggest, in the shape that the
// original's page reads.
type Suggested struct {
	Success bool        `json:"success"`
	Data    Suggestions `json:"data"`
}

// Suggestions are what to suggest, the best first, and the best of them.
type Suggestions struct {
	Suggestions       []Suggestion `json:"suggestions"`
	PrimarySuggestion Suggestion   `json:"primarySuggestion"`
}

// A Suggestion is a category, how sure it is (0 to 1), and why in words.
type Suggestion struct {
	Category   string  `json:"category"`
	Confidence float64 `json:"confidence"`
	Source     string  `json:"source"`
	Reason     string  `json:"reason"`
}

// NewSuggested gives the document.
func NewSuggested(list []models.Suggestion) Suggested {
	data := Suggestions{
		Suggestions:       make([]Suggestion, len(list)),
		PrimarySuggestion: Suggestion{Category: "other", Confidence: 0.1, Source: "default", Reason: "No pattern found"},
	}
	for i, s := range list {
		data.Suggestions[i] = Suggestion{s.Category, s.Confidence, "historical", reason(s)}
	}
	if len(list) > 0 {
		data.PrimarySuggestion = data.Suggestions[0]
	}
	return Suggested{Success: true, Data: data}
}

func reason(s models.Suggestion) string {
	n := strconv.FormatInt(s.Entries, 10)
	switch {
	case !s.Same:
		return "Similar to " + n + " of your entries"
	case s.Entries == 1:
		return "1 of your entries has this description"
	}
	return n + " of your entries have this description"
}
