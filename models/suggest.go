package models

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
)

// A DescriptionUse is how often a user's newest entries have a description and a
// category together.
type DescriptionUse struct {
	Description, Category string
	Count                 int64
}

// Suggestions look at so many of a user's newest entries, and give so many
// categories at most.
const (
	SuggestionEntries = 1000
	MaxSuggestions    = 3
)

// A Suggestion is a category that a description may belong to.
type Suggestion struct {
	Category   string
	Confidence float64 // above 0, at most 0.95
	Entries    int64   // how many entries say so
	Same       bool    // they have this very description
}

const (
	leastSimilarity = 0.3  // entries less similar say nothing
	beginning       = 0.8  // the similarity of an entry that begins with what was typed so far
	leastBeginning  = 3    // letters
	doubt           = 0.5  // of an entry against the whole: one entry alone is not sure
	mostConfidence  = 0.95 // nothing is sure
)

// SuggestCategories gives the categories that a user's own entries have for a
// description, the most frequent first. Case and punctuation do not matter. Entries
// with the very same description decide alone if there are any; else those that
// share words with it, or begin with it, count by how similar they are.
func SuggestCategories(description string, uses []DescriptionUse) []Suggestion {
	asked := newPhrase(description)
	same, similar := map[string]*vote{}, map[string]*vote{}
	for _, use := range uses {
		entry := newPhrase(use.Description)
		votes, weight := similar, asked.similarity(entry)
		if asked.text == entry.text {
			votes, weight = same, 1
		}
		if weight <= leastSimilarity {
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
		return elect(same, true)
	}
	return elect(similar, false)
}

// A vote is what entries of one category say.
type vote struct {
	weight  float64
	entries int64
}

func elect(votes map[string]*vote, same bool) []Suggestion {
	all := doubt
	for _, v := range votes {
		all += v.weight
	}
	categories := slices.SortedFunc(maps.Keys(votes), func(a, b string) int {
		return cmp.Or(cmp.Compare(votes[b].weight, votes[a].weight), cmp.Compare(a, b))
	})
	suggestions := []Suggestion{}
	for _, c := range categories[:min(len(categories), MaxSuggestions)] {
		confidence := math.Min(math.Round(votes[c].weight/all*100)/100, mostConfidence)
		suggestions = append(suggestions, Suggestion{Category: c, Confidence: confidence, Entries: votes[c].entries, Same: same})
	}
	return suggestions
}

// A phrase is a description as it is compared.
type phrase struct {
	text  string // words in one case, with one blank between them
	words []string
}

func newPhrase(s string) phrase {
	words := strings.FieldsFunc(strings.Map(foldCase, s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	return phrase{strings.Join(words, " "), slices.DeleteFunc(slices.Clone(words), small)}
}

// foldCase gives the one spelling that all cases of a letter share, whatever the
// user's language: the smallest of those that Unicode takes for the same.
func foldCase(r rune) rune {
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
}

// small reports whether a word such as "of" says nothing by itself.
func small(word string) bool { return len(word) < 3 }

// similarity is how much of the longer phrase's words the two share, 0 to 1.
func (p phrase) similarity(entry phrase) float64 {
	if len(p.text) >= leastBeginning && strings.HasPrefix(entry.text, p.text) {
		return beginning
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
