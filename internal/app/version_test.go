package app

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The newest release in CHANGELOG.md is what the Makefile and the Dockerfile name to the linker, and what a binary that was
// built so says.
func TestABuildReportsTheReleaseOfTheChangelog(t *testing.T) {
	release := firstGroup(t, "CHANGELOG.md", `(?m)^## (\d+\.\d+\.\d+)`)
	if named := firstGroup(t, "Dockerfile", `(?m)^ARG VERSION=(\S+)$`); named != release {
		t.Errorf("the Dockerfile names %s, CHANGELOG.md %s", named, release)
	}
	flags := "-X expenseflow/internal/app.version="
	for _, file := range []string{"Makefile", "Dockerfile"} {
		firstGroup(t, file, "("+regexp.QuoteMeta(flags)+`)\$`)
	}
	binary := filepath.Join(t.TempDir(), "expenseflow")
	if out, err := exec.Command("go", "build", "-ldflags", "-s "+flags+release, "-o", binary,
		"expenseflow").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := exec.Command(binary, "--version").Output()
	if err != nil || !strings.HasPrefix(string(out), "expenseflow "+release+" ") {
		t.Errorf("a build of %s says %q, %v", release, out, err)
	}
}

// firstGroup is what the first group of pattern is in a file at the root of the repository.
func firstGroup(t *testing.T, file, pattern string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", file))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s has no %s", file, pattern)
	}
	return string(found[1])
}
