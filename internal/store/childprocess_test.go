package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// roles are what this binary does instead of tests when it runs as a child.
var roles = map[string]func(args []string){
	"open":  childOpens,
	"write": childWrites,
}

const roleVariable = "STORE_TEST_CHILD"

func childRole() func() {
	args := strings.Split(os.Getenv(roleVariable), "\x1f")
	role := roles[args[0]]
	if role == nil {
		return nil
	}
	return func() { role(args[1:]) }
}

// child prepares this binary for a role.
func child(t testing.TB, program, role string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, "-test.run=^$")
	cmd.Env = append(os.Environ(), roleVariable+"="+strings.Join(append([]string{role}, args...), "\x1f"))
	cmd.Stderr = os.Stderr
	return cmd
}

// asOtherUser runs a role as a user who owns nothing, and gives what it says.
func asOtherUser(t testing.TB, dir, role string, args ...string) string {
	t.Helper()
	program := os.Args[0]
	if os.Getuid() == 0 { // the other user cannot reach this binary where it is
		program = filepath.Join(dir, "stranger")
		copyFile(t, program, os.Args[0])
		openPath(t, dir)
	}
	cmd := child(t, program, role, args...)
	cmd.Dir, cmd.SysProcAttr = dir, otherUser()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("child: %v", err)
	}
	return string(out)
}

func copyFile(t testing.TB, to, from string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// openPath lets everybody through to a temporary folder.
func openPath(t testing.TB, dir string) {
	t.Helper()
	for ; dir != filepath.Dir(dir) && dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// childOpens opens a store and says how that went.
func childOpens(args []string) {
	s, err := store.Open(context.Background(), store.Options{URL: args[0]})
	if err != nil {
		fmt.Println(models.Message(err))
		return
	}
	defer s.Close()
	fmt.Println("opened")
}

// childWrites writes for a user from several goroutines until it is killed, and
// names each expense once its write was acknowledged.
func childWrites(args []string) {
	s, err := store.Open(context.Background(), store.Options{URL: args[0]})
	if err != nil {
		fmt.Println(models.Message(err))
		return
	}
	var mu sync.Mutex
	for range 4 {
		go func() {
			for {
				e := expense(args[1])
				err := s.Write(context.Background(), args[1], func(tx *store.Tx) error {
					tx.InsertExpense(e)
					tx.AppendChange(models.ExpenseCreated, e, models.Author{})
					return nil
				})
				mu.Lock()
				fmt.Println(e.ID, err)
				mu.Unlock()
			}
		}()
	}
	select {}
}

// TestEveryAcknowledgedWriteSurvivesAKill kills a writing process in the middle
// of its work and looks at what is there.
func TestEveryAcknowledgedWriteSurvivesAKill(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		s := storetest.Open(t, o)
		u := storetest.User(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		var acknowledged []string
		for range 3 {
			acknowledged = append(acknowledged, killedAfter(t, o.URL, u.ID, 40)...)
		}
		s = storetest.Open(t, o)
		for _, id := range acknowledged {
			if _, err := s.ExpenseOf(t.Context(), u.ID, id); err != nil {
				t.Errorf("acknowledged expense %s: %v", id, err)
			}
		}
		wholeLog(t, s, u.ID)
	})
}

// killedAfter runs a writing child, kills it once it has acknowledged n writes,
// and gives all it had acknowledged.
func killedAfter(t *testing.T, database, userID string, n int) (ids []string) {
	t.Helper()
	cmd := child(t, os.Args[0], "write", database, userID)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		id, outcome, _ := strings.Cut(lines.Text(), " ")
		if outcome != "<nil>" {
			t.Errorf("child: %s", lines.Text())
		}
		if ids = append(ids, id); len(ids) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if len(ids) < n {
		t.Errorf("the child acknowledged only %d writes", len(ids))
	}
	return ids
}

// wholeLog checks that a user's log has no hole and no repetition, ends at the
// head, and that its fold is the table.
func wholeLog(t testing.TB, s *store.Store, userID string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fold, seq := map[string]models.Expense{}, int64(0)
	for {
		page := must(s.Changes(ctx, userID, seq, 100))(t)
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			if seq++; c.Seq != seq {
				t.Fatalf("change %d stands where %d belongs", c.Seq, seq)
			}
			if fold[c.EntityID] = c.Expense; c.Kind == models.ExpenseDeleted {
				delete(fold, c.EntityID)
			}
		}
	}
	same(t, "head", seq, must(s.Head(ctx, userID))(t))
	table := map[string]models.Expense{}
	err := s.EachExpense(ctx, userID, func(e models.Expense) error { table[e.ID] = e; return nil })
	if err != nil {
		t.Fatal(err)
	}
	same(t, "table against the fold of the log", fold, table)
}
