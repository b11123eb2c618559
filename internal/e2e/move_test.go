package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
	"expenseflow/models"
)

// command is a command of the program with its settings, in its folder.
func (p *program) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := p.file()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Env = p.dir, p.environment()
	dieWithParent(cmd)
	return cmd
}

// run runs a command that must succeed.
func (p *program) run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := p.command(t, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// moveTo moves the database while no process runs, and starts the program on the other one.
func (p *program) moveTo(t *testing.T, database string) {
	t.Helper()
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	p.run(t, "move", "--to", database)
	p.env = append(p.env, "DATABASE_URL="+database)
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
}

// A device that is away while the database is moved to PostgreSQL, and back, goes on where it
// was: each change arrives once, and nothing is loaded again.
func TestDevicesNoticeNothingOfAMove(t *testing.T) {
	t.Parallel()
	p := start(t)
	x, a := startProxy(t, p), register(t, p)
	d := startNode(t).connectAt(t, x.URL(), a, transports[1])
	want := []string{"expense_created " + a.create(t, "before", "").ID}
	d.hear(t, 1, changeEvents...)
	for _, database := range []string{
		storetest.PostgresOptions(t, testneed.Postgres(t)).URL, filepath.Join(p.dir, "data", "back.db"),
	} {
		away(t, x, d, func() {
			want = append(want, a.createMany(t, 20)...)
			p.moveTo(t, database)
			want = append(want, a.createMany(t, 5)...)
		})
		want = append(want, "expense_created "+a.settle(t, d).ID)
	}
	same(t, "events", want, d.changes())
	same(t, "recovered", []bool{false, true, true}, d.recovered(t))
	same(t, "requests of the page to the API", 0, len(x.seen()))
	same(t, "entries", len(want), len(a.expenses(t)))
}

// killed runs a command and kills it after a moment; it may be done before.
func (p *program) killed(t *testing.T, after time.Duration, args ...string) {
	t.Helper()
	cmd := p.command(t, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()
}

// accounts counts those of a database that nobody uses.
func accounts(t *testing.T, url string) int {
	t.Helper()
	s, err := store.Attach(t.Context(), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	all, err := s.Accounts(t.Context(), "", "", 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// moments are when commands are killed: before they begin, under way, and perhaps after.
var moments = []time.Duration{10, 40, 80, 150}

// Whoever kills a restore finds the database of before or the restored one, and starts.
func TestARestoreThatIsKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	p := start(t)
	restoreIsKilled(t, p, filepath.Join(p.dir, "data", "expenseflow.db"))
}

func TestARestoreOfPostgreSQLThatIsKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	url := storetest.PostgresOptions(t, testneed.Postgres(t)).URL
	restoreIsKilled(t, start(t, "DATABASE_URL="+url), url)
}

// restoreIsKilled kills restores at moments of the time that a whole one takes, until one was done
// before it was killed.
func restoreIsKilled(t *testing.T, p *program, database string) {
	t.Helper()
	register(t, p).createMany(t, 1000)
	p.run(t, "backup", "--to", "backups")
	made, err := filepath.Glob(filepath.Join(p.dir, "backups", "expenseflow-*"))
	if err != nil || len(made) != 1 {
		t.Fatalf("%v %v", made, err)
	}
	restore := []string{"restore", "--replace", made[0]}
	ended(t, p.stop())
	began := time.Now()
	p.run(t, restore...)
	whole := time.Since(began)
	ended(t, p.start())
	register(t, p).createMany(t, 10)
	ended(t, p.stop())
	old, restored := []int64{1000, 10}, []int64{1000}
	for n, now := 1, old; n <= kills && slices.Equal(now, old); n++ {
		p.killed(t, whole*time.Duration(n)/kills, restore...)
		if now = entries(t, database); !slices.Equal(now, old) {
			same(t, "entries by account", restored, now)
		}
	}
	p.run(t, restore...)
	same(t, "entries by account", restored, entries(t, database))
	ended(t, p.start())
}

// kills is how many restores are killed.
const kills = 6

func ended(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// entries counts the entries of each account, the oldest account first, of a database that nobody uses.
func entries(t *testing.T, url string) (counts []int64) {
	t.Helper()
	s, err := store.Attach(t.Context(), store.Options{URL: url})
	ended(t, err)
	defer s.Close()
	all, err := s.Accounts(t.Context(), "", "", 100)
	ended(t, err)
	slices.SortFunc(all, func(a, b store.Account) int { return strings.Compare(a.ID, b.ID) })
	for _, u := range all {
		n := int64(0)
		ended(t, s.EachExpense(t.Context(), u.ID, func(models.Expense) error {
			n++
			return nil
		}))
		counts = append(counts, n)
	}
	return counts
}

// Whoever kills a move finds the other database empty, or whole, and repeats it.
func TestAMoveThatIsKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	p := start(t)
	register(t, p).createMany(t, 1000)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	for n, after := range moments {
		file := filepath.Join(p.dir, "data", fmt.Sprintf("moved%d.db", n))
		p.killed(t, after*time.Millisecond, "move", "--to", file)
		if _, err := os.Stat(file); err != nil {
			p.run(t, "move", "--to", file)
		}
		same(t, "accounts", 1, accounts(t, file))
	}
	server := storetest.PostgresOptions(t, testneed.Postgres(t)).URL
	for _, after := range moments {
		p.killed(t, after*3*time.Millisecond, "move", "--to", server)
	}
	out, err := p.command(t, "move", "--to", server).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "holds 1 account") { // one was done before it was killed
		t.Fatalf("%v: %s", err, out)
	}
	same(t, "accounts", 1, accounts(t, server))
}
