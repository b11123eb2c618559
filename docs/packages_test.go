package docs

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oasdiff/yaml"
)

// README.md and ARCHITECTURE.md describe every package, and .golangci.yml says what it may import. Packages below another
// one, such as those of internal/e2e, share its description.
func TestEveryPackageIsDescribedAndHasAnImportRule(t *testing.T) {
	readme, architecture, rules := readPage(t, "../README.md"), readPage(t, "../ARCHITECTURE.md"), importRules(t)
	for _, folder := range packageFolders(t) {
		name := folder
		if under, ok := strings.CutPrefix(folder, "internal/"); ok {
			name, _, _ = strings.Cut(under, "/")
		}
		named := regexp.MustCompile("`(internal/)?" + name + "`")
		if !named.MatchString(readme) || !named.MatchString(architecture) {
			t.Errorf("README.md or ARCHITECTURE.md does not say what %s does", folder)
		}
		if !slices.ContainsFunc(rules, func(r *regexp.Regexp) bool { return r.MatchString("/" + folder + "/x.go") }) {
			t.Errorf("no rule of depguard in .golangci.yml is about %s", folder)
		}
	}
}

// importRules are the patterns of files for which depguard has a rule of their own.
func importRules(t *testing.T) (patterns []*regexp.Regexp) {
	t.Helper()
	text, err := yaml.YAMLToJSON([]byte(readPage(t, "../.golangci.yml")))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]struct{ Files []string }
				}
			}
		}
	}
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	wildcards := strings.NewReplacer(".", `\.`, "**/", "(.*/)?", "**", ".*", "*", "[^/]*")
	for _, rule := range config.Linters.Settings.Depguard.Rules {
		for _, file := range rule.Files {
			if file != "**/*.go" && !strings.HasPrefix(file, "!") {
				patterns = append(patterns, regexp.MustCompile("^/?"+wildcards.Replace(file)+"$"))
			}
		}
	}
	return patterns
}

// packageFolders are the folders with Go files that are no tests, but for main's.
func packageFolders(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "-C", "..", "ls-files", "*.go").Output()
	if err != nil {
		t.Skipf("the files that git knows cannot be listed: %v", err)
	}
	var folders []string
	for file := range strings.Lines(string(out)) {
		file = strings.TrimSpace(file)
		folder := path.Dir(file)
		if strings.HasSuffix(file, "_test.go") || folder == "." || strings.Contains(file, "/testdata/") {
			continue
		}
		if _, err := os.Stat("../" + file); err == nil {
			folders = append(folders, folder)
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}
