package wire

import (
	"strconv"

	"expenseflow/models"
)

// Limits of a description for which categories are suggested, in UTF-16 units.
const (
	minSuggested = 2
	maxSuggested = 500
)

// ParseSuggestDescription parses the parameter description of GET /api/categorization/suggest.
// The error is models.Invalid with the original's message.
func ParseSuggestDescription(description string) (string, error) {
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

// SuggestResponse is the response to GET /api/categorization/suggest.
type SuggestResponse struct {
	Success bool        `json:"success"`
	Data    Suggestions `json:"data"`
}

// Suggestions are the suggested categories, best first, and the best of them.
type Suggestions struct {
	Suggestions       []Suggestion `json:"suggestions"`
	PrimarySuggestion Suggestion   `json:"primarySuggestion"`
}

// A Suggestion is a category with its confidence (0 to 1) and a reason for users.
type Suggestion struct {
	Category   string  `json:"category"`
	Confidence float64 `json:"confidence"`
	Source     string  `json:"source"`
	Reason     string  `json:"reason"`
}

// NewSuggestResponse returns the response.
func NewSuggestResponse(list []models.Suggestion) SuggestResponse {
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
	return SuggestResponse{Success: true, Data: data}
}

func reason(s models.Suggestion) string {
	n := strconv.FormatInt(s.Entries, 10)
	switch {
	case !s.Exact:
		return "Similar to " + n + " of your entries"
	case s.Entries == 1:
		return "1 of your entries has this description"
	}
	return n + " of your entries have this description"
}
