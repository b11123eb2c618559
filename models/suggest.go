package models

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
)

// A DescriptionUse is the number of a user's newest entries with this description and
// category.
type DescriptionUse struct {
	Description, Category string
	Count                 int64
}

// Limits of suggestions.
const (
	SuggestionEntries = 1000 // newest entries of a user that are searched
	MaxSuggestions    = 3    // categories that are suggested
)

// A Suggestion is a likely category for a description.
type Suggestion struct {
	Category   string
	Confidence float64 // above 0, at most 0.95
	Entries    int64   // number of entries with this category
	Exact      bool    // whether the entries have exactly this description
}

const (
	minSimilarity    = 0.3  // less similar entries are ignored
	prefixSimilarity = 0.8  // similarity of an entry that begins with the description
	minPrefix        = 3    // bytes of a description that is compared as a prefix
	priorWeight      = 0.5  // weight added to the total, so that a single entry is not certain
	maxConfidence    = 0.95 // upper limit of Confidence
)

// SuggestCategories returns the categories of a user's entries with a similar
// description, the best first. Case and punctuation are ignored. If there are entries
// with exactly this description, only they count; otherwise entries count by the share
// of words in common, or as a fixed share if they begin with the description.
func SuggestCategories(description string, uses []DescriptionUse) []Suggestion {
	asked := newPhrase(description)
	same, similar := map[string]*vote{}, map[string]*vote{}
	for _, use := range uses {
		entry := newPhrase(use.Description)
		votes, weight := similar, asked.similarity(entry)
		if asked.text == entry.text {
			votes, weight = same, 1
		}
		if weight <= minSimilarity {
			continue
		}
		v := votes[use.Category]
		if v == nil {
			v = &vote{}
			votes[use.Category] = v
		}
		v.weight += weight * float64(use.Count)
		v.entries += use.Count
	}
	if len(same) > 0 {
		return rankCategories(same, true)
	}
	return rankCategories(similar, false)
}

// A vote is the sum of the similarities of one category's entries.
type vote struct {
	weight  float64
	entries int64
}

func rankCategories(votes map[string]*vote, same bool) []Suggestion {
	all := priorWeight
	for _, v := range votes {
		all += v.weight
	}
	categories := slices.SortedFunc(maps.Keys(votes), func(a, b string) int {
		return cmp.Or(cmp.Compare(votes[b].weight, votes[a].weight), cmp.Compare(a, b))
	})
	suggestions := []Suggestion{}
	for _, c := range categories[:min(len(categories), MaxSuggestions)] {
		confidence := math.Min(math.Round(votes[c].weight/all*100)/100, maxConfidence)
		suggestions = append(suggestions, Suggestion{Category: c, Confidence: confidence, Entries: votes[c].entries, Exact: same})
	}
	return suggestions
}

// A phrase is a description in normalized form.
type phrase struct {
	text  string   // words in one case, separated by single spaces
	words []string // without short ones
}

func newPhrase(s string) phrase {
	words := strings.FieldsFunc(strings.Map(foldCase, s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	return phrase{strings.Join(words, " "), slices.DeleteFunc(slices.Clone(words), isShortWord)}
}

// foldCase returns the smallest rune that is equal to r under Unicode case folding.
func foldCase(r rune) rune {
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
}

// isShortWord reports whether a word is too short to compare, such as "of".
func isShortWord(word string) bool { return len(word) < 3 }

// similarity returns the share of the longer phrase's words that both have, 0 to 1.
func (p phrase) similarity(entry phrase) float64 {
	if len(p.text) >= minPrefix && strings.HasPrefix(entry.text, p.text) {
		return prefixSimilarity
	}
	longer := max(len(p.words), len(entry.words))
	if longer == 0 {
		return 0
	}
	shared := 0
	for _, w := range p.words {
		if slices.Contains(entry.words, w) {
			shared++
		}
	}
	return float64(shared) / float64(longer)
}
