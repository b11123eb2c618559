package models_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"expenseflow/models"
)

// tags returns n different tags of the same length.
func tags(n, length int) models.Tags {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%0*d", length, i)
	}
	return models.NewTags(list)
}

func TestTagsAreTidied(t *testing.T) {
	tests := []struct {
		name string
		list []string
		want []string
	}{
		{"none", nil, nil},
		{"blank ones", []string{"", " ", "\u00a0\ufeff"}, nil},
		{"white space", []string{"  trip to\n\tRome "}, []string{"trip to Rome"}},
		{"case alone", []string{"Rome", "work", "ROME", "Straße", "STRASSE"}, []string{"Rome", "work", "Straße", "STRASSE"}},
		{"order", []string{"b", "a"}, []string{"b", "a"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, models.NewTags(tt.list).List()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestTidyTagsStayAsTheyAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := models.NewTags(rapid.SliceOf(rapid.String()).Draw(t, "tags"))
		if twice := models.NewTags(once.List()); twice != once {
			t.Fatalf("%q became %q", once, twice)
		}
		if d := (models.Draft{Tags: once}).Normalize(); d.Tags != once {
			t.Fatalf("%q became %q in a draft", once, d.Tags)
		}
		for _, tag := range once.List() {
			if tag == "" || models.Trim(tag) != tag || strings.Contains(tag, "\n") {
				t.Fatalf("%q is a tag", tag)
			}
		}
	})
}

func TestAPatchKeepsReplacesAndClearsTags(t *testing.T) {
	work, none := models.Tags("work"), models.Tags("")
	for _, tt := range []struct {
		patch *models.Tags
		want  models.Tags
	}{{nil, "home"}, {&work, "work"}, {&none, ""}} {
		e := models.Expense{Tags: "home"}
		if (models.Patch{Tags: tt.patch}).Apply(&e, nil); e.Tags != tt.want {
			t.Errorf("got %q, want %q", e.Tags, tt.want)
		}
	}
}
