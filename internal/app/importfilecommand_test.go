package app

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bankFile writes a file into a new folder and returns its path.
func bankFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const bankRows = "Date;Text;Amount\n02.01.2026;Coffee;-3,50\n15.01.2026;Pay;1.900,00\n"

func TestImportFileBesideAServer(t *testing.T) {
	onEachOperated(t, func(t *testing.T, o operated) {
		page := o.listen(o.register("alice@example.org"))
		path := bankFile(t, "january.csv", bankRows)
		file := func(more ...string) string {
			return o.command(append([]string{"import", "file", path, "--user", "alice@example.org"}, more...)...)
		}
		dry := file("--dry-run")
		for _, want := range []string{"nothing was changed", "2 of 2 rows", `read as csv: {"columns":{"amount":3`, `"dates":"dmy"`} {
			if !strings.Contains(dry, want) {
				t.Errorf("dry run: no %q in %s", want, dry)
			}
		}
		done := file()
		if !strings.Contains(done, "imported into alice@example.org: 2 of 2 rows") || !strings.Contains(done, "undoes it") {
			t.Errorf("import: %s", done)
		}
		for created := 0; created < 2; {
			if strings.HasPrefix(page.next(), "expense_created ") {
				created++
			}
		}
		var again struct {
			Totals struct{ Rows, Duplicates int }
		}
		text := file("--json", "--include=2")
		if json.Unmarshal([]byte(text), &again) != nil || again.Totals.Rows != 2 || again.Totals.Duplicates != 1 {
			t.Errorf("again: %s", text)
		}
		o.refused("There is no account bob@example.org", "import", "file", path, "--user", "bob@example.org")
		o.refused("fourth of March (--dates=mdy)", "import", "file",
			bankFile(t, "open.csv", "Date,Text,Amount\n03/04/2026,Tea,-1.00\n"), "--user", "alice@example.org")
		o.refused("expenseflow import json", "import", "file",
			bankFile(t, "a.json", `{"format":"expenseflow-account"}`), "--user", "alice@example.org")
		o.refused("10 MB", "import", "file", bankFile(t, "long.csv", strings.Repeat("x", 11<<20)), "--user", "alice@example.org")
	})
}

// Without a server the command opens the database itself. Rows that do not come in make it fail.
func TestImportFileWithoutAServer(t *testing.T) {
	environ := []string{"DATA_DIR=" + filepath.Join(shortFolder(t), "data"), "JWT_SECRET=" + testSecret}
	command := func(args ...string) (int, string, string) { return run(t, t.Context(), args, environ...) }
	if code, _, errs := command("import", "mongo", dumped("array/users.json")); code != exitOK {
		t.Fatalf("import mongo: %s", errs)
	}
	path := bankFile(t, "x.csv", "Date,Text,Amount\n2026-01-02,Tea,-1.00\n2026-01-03,Interest,0.001\nTotal,,-1.00\n")
	code, out, errs := command("import", "file", path, "--user", "ann@example.org")
	for _, want := range []string{"1 of 3 rows", "1 wait for a decision, 1 are refused", "line 3, parked: ", "line 4, refused: "} {
		if code != exitFailed || errs != "" || !strings.Contains(out, want) {
			t.Errorf("exit code %d, %s%s; want %s", code, errs, out, want)
		}
	}
}

func TestImportFileIsMisused(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--user", "a@example.org"}, "import file needs one file"},
		{[]string{"x.csv"}, "import file needs --user"},
		{[]string{"x.csv", "--dry"}, "flag provided but not defined: -dry."},
	} {
		code, out, errs := run(t, t.Context(), append([]string{"import", "file"}, tt.args...), "DATA_DIR="+t.TempDir())
		if code != exitRefused || out != "" || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: exit code %d, %s%s", tt.args, code, out, errs)
		}
	}
}
