package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"expenseflow/internal/testneed"
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
	g := openGuide(t, p, "Leave us", "ann@example.org", ann.Email, "$TOKEN", ann.Token)
	g.run(t, "curl")
	g.run(t, "expenseflow export")
	for _, name := range []string{"mine.json", "ann.json", "mine.csv", "ann.csv"} {
		if text, err := os.ReadFile(filepath.Join(p.dir, name)); err != nil || !strings.Contains(string(text), "Lunch") {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
	g.run(t, "expenseflow backup")
	files, err := filepath.Glob(filepath.Join(p.dir, "backups", "expenseflow-*.db"))
	if err != nil || len(files) != 1 {
		t.Errorf("backups: %q, %v", files, err)
	}
	g.run(t, "expenseflow users delete")
	ann.call(t, http.MethodGet, "/api/expenses", nil).want(t, http.StatusUnauthorized)
	g.done(t)
}

// Devices go on where they were: what is entered in the other database reaches a socket that was
// connected before the move.
func TestGuideFromSQLiteToPostgreSQL(t *testing.T) {
	t.Parallel()
	p, db, n := start(t), testneed.NewPostgres(t), startNode(t)
	ann := register(t, p)
	lunch := ann.create(t, "Lunch", "")
	d := n.connect(t, ann, transports[1])
	g := openGuide(t, p, "From SQLite to PostgreSQL", "postgres://user:password@localhost:5432/expenseflow", "'"+db.URL+"'")
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	g.run(t, "expenseflow move --to postgres://")
	g.run(t, "echo DATABASE_URL=")
	restart(t, p)
	same(t, "entries there", []string{lunch.ID}, entryIDs(ann.expenses(t)))
	d.await(t, "connect", 2)
	dinner := ann.create(t, "Dinner", "")
	same(t, "what the device hears of", dinner.ID, idOf(d.hear(t, 1, "expense_created")[0]))

	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	g.run(t, "expenseflow move --to data/back.db")
	p.env = append(p.env, "DATABASE_URL=data/back.db")
	restart(t, p)
	same(t, "entries back here", []string{dinner.ID, lunch.ID}, entryIDs(ann.expenses(t)))
	g.done(t)
}

func restart(t *testing.T, p *program) {
	t.Helper()
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
}

func entryIDs(list []expense) (ids []string) {
	for _, e := range list {
		ids = append(ids, e.ID)
	}
	return ids
}
