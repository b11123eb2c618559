package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"expenseflow/internal/original"
)

// dumped is a path of the dumps that MongoDB's tools wrote.
func dumped(name string) string { return filepath.Join("..", "mongodump", "testdata", name) }

// oldToken is a token as the original's server made it for a user: with an id and two times.
func oldToken(t *testing.T, secret, userID string) string {
	t.Helper()
	now := time.Now().Add(-time.Hour)
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"id": userID, "iat": now.Unix(), "exp": now.Add(7 * 24 * time.Hour).Unix(),
	}).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Of the kept dump: who has how many expenses.
const (
	annsExpenses = 23
	bobsPassword = "battery staple 2"
)

func TestImportBesideAServer(t *testing.T) {
	onEachOperated(t, func(t *testing.T, o operated) {
		o.command("import", "mongo", dumped("array/users.json"))
		var ann struct{ ID string }
		if err := json.Unmarshal([]byte(o.command("users", "list", "ann@", "--json")), &ann); err != nil {
			t.Fatal(err)
		}
		token := oldToken(t, testSecret, ann.ID)
		page := o.listen(token)
		if out := o.command("import", "mongo", dumped("dump.archive.gz")); !strings.Contains(out, "are the same in the dump and here") {
			t.Errorf("report: %s", out)
		}
		for created := 0; created < annsExpenses; {
			if strings.HasPrefix(page.next(), "expense_created ") {
				created++
			}
		}
		var list []json.RawMessage
		if a := o.call("GET", "/api/expenses", token, ""); json.Unmarshal([]byte(a.body), &list) != nil || len(list) != annsExpenses {
			t.Errorf("the old token sees %d expenses: %d %.200s", len(list), a.code, a.body)
		}
		login := o.call("POST", "/api/auth/login", "", fmt.Sprintf(`{"email":"Bob@example.org","password":%q}`, bobsPassword))
		if login.code != 200 || o.call("GET", "/api/sync/pending", login.field("token"), "").code != 200 {
			t.Errorf("the old password: %d %s", login.code, login.body)
		}
		again := o.command("import", "mongo", dumped("folder"), "--json")
		var report original.Report
		if err := json.Unmarshal([]byte(again), &report); err != nil || report.Collections[1].Same != 47 || report.Incomplete() {
			t.Errorf("again: %v %s", err, again)
		}
		o.refused("choose one of them with --db (expenseflow, tracker)", "import", "mongo", dumped("two-databases.archive"))
		o.refused("there is no file or folder", "import", "mongo", dumped("gone"))
	})
}

func TestImportMakesTheDatabase(t *testing.T) {
	dump, err := os.ReadFile(dumped("dump.archive.gz"))
	if err != nil {
		t.Fatal(err)
	}
	dir := shortFolder(t)
	environ := []string{"DATA_DIR=" + filepath.Join(dir, "data"), "JWT_SECRET=" + testSecret}
	call := func(args ...string) string {
		var out, errs bytes.Buffer
		c := Command{
			Args: append([]string{"import", "mongo"}, args...), Environ: environ,
			Stdin: bytes.NewReader(dump), Stdout: &out, Stderr: &errs,
		}
		if code := c.Run(t.Context()); code != exitOK || errs.Len() > 0 {
			t.Fatalf("%v: exit code %d, %s%s", args, code, &errs, &out)
		}
		return out.String()
	}
	dry := call("-", "--dry-run")
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		t.Error("a dry run made the database")
	}
	if done := call("-"); strings.TrimPrefix(dry, "A dry run: nothing was changed.\n") != done {
		t.Errorf("the dry run said\n%s\nand the import\n%s", dry, done)
	}
	r := start(t, environ...)
	login := r.call("POST", "/api/auth/login", "", `{"email":"ann@example.org","password":"correct horse 1"}`)
	if login.code != 200 || login.field("user", "name") != "Ann Example" {
		t.Errorf("sign in: %d %s", login.code, login.body)
	}
}

func TestImportIsMisused(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"import"}, "from where? It knows mongo, file and json."},
		{[]string{"import", "csv", "x"}, "from where? It knows mongo, file and json."},
		{[]string{"import", "mongo"}, "it needs a folder or a file"},
		{[]string{"import", "mongo", "x", "--what"}, "flag provided but not defined: -what."},
	} {
		code, out, errs := run(t, t.Context(), tt.args, "DATA_DIR="+t.TempDir())
		if code != exitRefused || out != "" || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: exit code %d, %s%s", tt.args, code, out, errs)
		}
	}
}

func TestAnImportThatRefusesSomethingFails(t *testing.T) {
	users := filepath.Join(t.TempDir(), "users.json")
	content := `{"_id":{"$oid":"6971e713f86bfaf28c5d840d"},"name":"Ann","email":"ann@example.org"}
{"_id":{"$oid":"6971e713f86bfaf28c5d840e"},"name":"Ann","email":"ANN@example.org"}`
	if err := os.WriteFile(users, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := run(t, t.Context(), []string{"import", "mongo", users}, "DATA_DIR="+t.TempDir())
	if code != exitFailed || errs != "" ||
		!strings.Contains(out, "1  Another account here has this e-mail address (6971e713f86bfaf28c5d840e)") {
		t.Errorf("exit code %d, %s\n%s", code, errs, out)
	}
}
