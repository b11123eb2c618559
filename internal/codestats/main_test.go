package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFunctionsAreCountedByTheLinesOfTheirBodies(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"a/a.go":      "package a\n\nfunc one() {}\n\nfunc three() {\n\t_ = 1\n\t_ = 2\n\t_ = 3\n}\n",
		"a/a_test.go": "package a\n\nfunc ignored() {}\n",
		"b/b.go":      "package b\n",
	} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	packages, err := measure(root)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := write(&out, packages); err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{"1 9 2 1 3 3 a", "1 1 0 0 0 0 b", "2 10 2 1 3 3 all"} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), row) {
			t.Errorf("no row %q in\n%s", row, out.String())
		}
	}
}
