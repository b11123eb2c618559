package app

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAUserTakesEverythingAlong(t *testing.T) {
	t.Parallel()
	r := start(t)
	token := r.register("alice@example.org")
	r.expense(token)
	r.expense(r.register("bob@example.org"))

	a := r.call("GET", "/api/export", token, "")
	var file struct {
		Format   string
		Account  struct{ Email string }
		Expenses []struct{ Amount json.Number }
	}
	if err := json.Unmarshal([]byte(a.body), &file); err != nil || a.code != 200 {
		t.Fatalf("%d %v %s", a.code, err, a.body)
	}
	if file.Account.Email != "alice@example.org" || len(file.Expenses) != 1 || file.Expenses[0].Amount != "12.5" {
		t.Errorf("%s", a.body)
	}
	if name := a.header.Get("Content-Disposition"); !strings.Contains(name, `filename="expenseflow-`) {
		t.Errorf("Content-Disposition %q", name)
	}
	a = r.call("GET", "/api/export?format=csv", token, "")
	rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][4] != "-12.5" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") {
		t.Errorf("%v %q %v", err, rows, a.header)
	}
	if a := r.call("GET", "/api/export?format=pdf", token, ""); a.code != 400 || a.header.Get("Content-Disposition") != "" {
		t.Errorf("pdf: %d %s", a.code, a.body)
	}
	if a := r.call("GET", "/api/export", "", ""); a.code != 401 {
		t.Errorf("without a token: %d", a.code)
	}
}

func TestAUserBringsAnExportBack(t *testing.T) {
	t.Parallel()
	r := start(t)
	alice, bob := r.register("alice@example.org"), r.register("bob@example.org")
	r.expense(alice)
	file := r.call("GET", "/api/export", alice, "").body
	device := r.listen(bob)
	for n, query := range []string{"?dryRun=1", "?name=mine.json", ""} {
		a := r.call("POST", "/api/import/account"+query, bob, file)
		if a.code != 200 || strings.Contains(a.body, `"import":{"id":`) != (n == 1) {
			t.Fatalf("%s: %d %s", query, a.code, a.body)
		}
	}
	if a := r.call("GET", "/api/expenses", bob, ""); strings.Count(a.body, `"Lunch"`) != 1 {
		t.Errorf("%s", a.body)
	}
	device.hears("expense_created", `import_progress {"name":"mine.json","rows":1,"total":0,"done":true}`)
	r.undoesOnly(bob, "mine.json")
	device.hears("expense_deleted", `import_progress {"name":"mine.json","rows":1,"total":1,"done":true,"undo":true}`)
	if a := r.call("POST", "/api/import/account", bob, file[:len(file)/2]); a.code != 400 || !strings.Contains(a.body, "cut off") {
		t.Errorf("%d %s", a.code, a.body)
	}
}

func TestOneImportOfAnAccountAtATime(t *testing.T) {
	t.Parallel()
	r := start(t)
	token := r.register("alice@example.org")
	arrives, file := io.Pipe()
	slow, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.app.Addr()+"/api/import/account", arrives)
	if err != nil {
		t.Fatal(err)
	}
	slow.Header.Set("Authorization", "Bearer "+token)
	slow.Close = true
	answered := make(chan error, 1)
	go func() {
		a, err := http.DefaultClient.Do(slow)
		if err == nil {
			a.Body.Close()
		}
		answered <- err
	}()
	r.within(patience, "another is refused while a file arrives", func() bool {
		a := r.call("POST", "/api/import/account", token, "{}")
		return a.code == 409 && a.field("code") == "IMPORT_RUNNING"
	})
	file.Close()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// hears waits for events that begin so, in whatever order.
func (s *socket) hears(events ...string) {
	s.t.Helper()
	for len(events) > 0 {
		heard := s.next()
		events = slices.DeleteFunc(events, func(e string) bool { return strings.HasPrefix(heard, e) })
	}
}

// undoesOnly undoes the account's only import, of which nothing is left then.
func (r *running) undoesOnly(token, name string) {
	r.t.Helper()
	var list struct{ Imports []struct{ ID string } }
	if err := json.Unmarshal([]byte(r.call("GET", "/api/import", token, "").body), &list); err != nil || len(list.Imports) != 1 {
		r.t.Fatalf("%+v %v", list, err)
	}
	a := r.call("DELETE", "/api/import/"+list.Imports[0].ID, token, "")
	if a.code != 200 || a.field("state") != "undone" || a.field("name") != name {
		r.t.Errorf("%d %s", a.code, a.body)
	}
	if a := r.call("GET", "/api/expenses", token, ""); strings.Contains(a.body, `"Lunch"`) {
		r.t.Errorf("%s", a.body)
	}
}

func TestAnOperatorExportsBesideARunningServer(t *testing.T) {
	t.Parallel()
	onEachOperated(t, func(t *testing.T, o operated) {
		token := o.register("alice@example.org")
		o.expense(token)
		out := o.command("export", "alice@example.org")
		if !strings.Contains(out, `"amount":12.5`) || strings.Contains(out, "passwordHash") {
			t.Errorf("%s", out)
		}
		if out := o.command("export", "alice@example.org", "--secrets"); !strings.Contains(out, `"passwordScheme":"bcrypt"`) {
			t.Errorf("%s", out)
		}
		file := filepath.Join(t.TempDir(), "alice.csv")
		o.command("export", "alice@example.org", "--format", "csv", "--to", file)
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
			t.Errorf("%v %v", info, err)
		}
		o.refused("is there already", "export", "alice@example.org", "--to", file)
		o.refused("There is no account", "export", "carol@example.org")
	})
}

func TestAnExportComesBackWithItsPassword(t *testing.T) {
	t.Parallel()
	onEachOperated(t, func(t *testing.T, o operated) {
		token := o.register("alice@example.org")
		id := o.expense(token)
		file := filepath.Join(t.TempDir(), "alice.json")
		o.command("export", "alice@example.org", "--secrets", "--to", file)
		o.command("users", "delete", "alice@example.org", "--yes")
		if out := o.command("import", "json", file, "--dry-run"); !strings.Contains(out, "nothing was changed") {
			t.Errorf("%s", out)
		}
		for range 2 {
			o.command("import", "json", file)
		}
		a := o.call("POST", "/api/auth/login", "", `{"email":"alice@example.org","password":"secret"}`)
		if a.code != 200 {
			t.Fatalf("sign-in: %d %s", a.code, a.body)
		}
		list := o.call("GET", "/api/expenses", token, "") // the old token is of the same account
		if list.code != 200 || strings.Count(list.body, `"_id"`) != 1 || !strings.Contains(list.body, id) {
			t.Errorf("%d %s", list.code, list.body)
		}
		o.register("bob@example.org")
		o.command("import", "json", file, "--into", "bob@example.org")
		if out := o.command("export", "bob@example.org"); strings.Count(out, `"Lunch"`) != 1 || strings.Contains(out, id) {
			t.Errorf("%s", out)
		}
		if err := os.WriteFile(file, []byte(`{"format":"expenseflow-account","version":9}`), 0o600); err != nil {
			t.Fatal(err)
		}
		o.refused("needs a newer release", "import", "json", file)
	})
}
