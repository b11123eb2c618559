package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the tables of settings into the README and docs/configuration.md")

// table is the part of a page between these marks.
var table = regexp.MustCompile(`(?s)(<!-- settings -->\n).*?(<!-- /settings -->)`)

func TestPagesHaveTheSettingsOfTheStruct(t *testing.T) {
	for page, wanted := range map[string]func(Setting) bool{
		"README.md":             func(s Setting) bool { return s.Main },
		"docs/configuration.md": func(Setting) bool { return true },
	} {
		t.Run(page, func(t *testing.T) {
			path := filepath.Join("..", "..", filepath.FromSlash(page))
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := table.ReplaceAllString(string(text), "${1}"+rows(wanted)+"${2}")
			if !table.Match(text) {
				t.Fatal("the page has no marks for the table")
			}
			if *update {
				if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(want, string(text)); diff != "" {
				t.Errorf("run: go test ./internal/config -run %s -update\n%s", t.Name(), diff)
			}
		})
	}
}

func rows(wanted func(Setting) bool) string {
	var b strings.Builder
	b.WriteString("| setting | default | |\n|---|---|---|\n")
	for _, s := range Settings() {
		if wanted(s) {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, code(s.Default), described(s))
		}
	}
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// described is a setting's help with its values, where help does not name them.
func described(s Setting) string {
	text := s.Help
	if v := s.Values(); v != "" {
		text += " (" + v + ")"
	}
	return strings.ReplaceAll(text, "|", `\|`)
}
