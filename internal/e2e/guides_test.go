package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A guide is a section of docs/moving.md, whose commands are run as they stand there.
type guide struct {
	blocks []string // its blocks of commands that are still to be run
	p      *program // in whose folder and with whose settings they are run
	change *strings.Replacer
}

// openGuide returns the section with a heading. The commands call the program expenseflow;
// changes are pairs of a text of the page and what is there in its place.
func openGuide(t *testing.T, p *program, heading string, changes ...string) *guide {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "moving.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/moving.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	g := &guide{p: p, change: strings.NewReplacer(append(changes, "http://localhost:3000", p.url())...)}
	for _, block := range regexp.MustCompile("(?s)\n```sh\n(.*?)\n```").FindAllStringSubmatch(section, -1) {
		g.blocks = append(g.blocks, block[1])
	}
	return g
}

// run runs the next block of commands, which begins with a text, and returns what they print.
func (g *guide) run(t *testing.T, begins string) string {
	t.Helper()
	if len(g.blocks) == 0 || !strings.HasPrefix(g.blocks[0], begins) {
		t.Fatalf("the next commands are not %q: %q", begins, g.blocks)
	}
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(file, filepath.Join(bin, "expenseflow")); err != nil {
		t.Fatal(err)
	}
	sh := exec.Command("sh", "-euc", g.change.Replace(g.blocks[0]))
	sh.Dir, sh.Env = g.p.dir, append(g.p.environment(), "PATH="+bin+":"+os.Getenv("PATH"))
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%v\n%s", g.blocks[0], err, out)
	}
	g.blocks = g.blocks[1:]
	return string(out)
}

// done fails the test if commands of the guide were not run.
func (g *guide) done(t *testing.T) {
	t.Helper()
	if len(g.blocks) > 0 {
		t.Errorf("nobody ran %q", g.blocks)
	}
}

func TestGuideToLeaveUs(t *testing.T) {
	t.Parallel()
	p := start(t)
	ann := register(t, p)
	ann.create(t, "Lunch", "")
	g := openGuide(t, p, "Leave us", "ann@example.org", ann.Email)
	g.run(t, "expenseflow backup")
	files, err := filepath.Glob(filepath.Join(p.dir, "backups", "expenseflow-*.db"))
	if err != nil || len(files) != 1 {
		t.Errorf("backups: %q, %v", files, err)
	}
	g.run(t, "expenseflow users delete")
	ann.call(t, http.MethodGet, "/api/expenses", nil).want(t, http.StatusUnauthorized)
	g.done(t)
}
