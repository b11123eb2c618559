package models

import "strings"

// Limits of an expense's tags.
const (
	MaxTags = 10
	MaxTag  = 30 // UTF-16 units of one tag
)

// Tags is the list of an expense's tags, each on a line of its own; "" is none. NewTags makes
// it. Like every other field of an expense it compares with == and is kept as a text.
type Tags string

// NewTags returns the tags of a list: without the white space around them and runs of it
// within, without empty ones, and without those that differ from an earlier one in case alone.
// Order and case stay.
func NewTags(list []string) Tags {
	seen := make(map[string]bool, len(list))
	kept := make([]string, 0, len(list))
	for _, tag := range list {
		tag = strings.Join(strings.FieldsFunc(tag, isBrowserSpace), " ")
		if key := strings.ToLower(tag); tag != "" && !seen[key] {
			seen[key] = true
			kept = append(kept, tag)
		}
	}
	return Tags(strings.Join(kept, "\n"))
}

// List returns the tags one by one; nil for none.
func (t Tags) List() []string {
	if t == "" {
		return nil
	}
	return strings.Split(string(t), "\n")
}

func normalizeTags(t Tags) Tags { return NewTags(t.List()) }

func checkTags(t *Tags) (vs []Violation) {
	if t == nil {
		return nil
	}
	list := t.List()
	if len(list) > MaxTags {
		return []Violation{{Field: "tags", Rule: RuleTooMany, Limit: MaxTags}}
	}
	for _, tag := range list {
		vs = append(vs, CheckText("tags", tag, MaxTag)...)
	}
	return vs
}
