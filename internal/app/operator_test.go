package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/control"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
)

// shortFolder is one whose path leaves room for the name of a socket.
func shortFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ef")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// An operated program is one that runs, with the environment of commands beside it.
type operated struct {
	*running
	environ []string
}

func onEachOperated(t *testing.T, fn func(t *testing.T, o operated)) {
	t.Helper()
	run := func(t *testing.T, more ...string) {
		environ := append(more, "DATA_DIR="+shortFolder(t), "JWT_SECRET="+testSecret)
		fn(t, operated{start(t, environ...), environ})
	}
	t.Run("sqlite", func(t *testing.T) { run(t) })
	t.Run("postgres", func(t *testing.T) {
		run(t, "DATABASE_URL="+storetest.PostgresOptions(t, storetest.PostgresDSN(t)).URL)
	})
}

// command runs a command that has to succeed.
func (o operated) command(args ...string) string {
	o.t.Helper()
	code, out, errs := run(o.t, o.t.Context(), args, o.environ...)
	if code != exitOK || errs != "" {
		o.t.Fatalf("%v: exit code %d, %s", args, code, errs)
	}
	return out
}

// refused runs a command that has to fail with this in its sentence.
func (o operated) refused(want string, args ...string) {
	o.t.Helper()
	code, out, errs := run(o.t, o.t.Context(), args, o.environ...)
	if code != exitFailed || out != "" || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 {
		o.t.Errorf("%v: exit code %d, %s%s, want %q", args, code, out, errs, want)
	}
}

// Commands needed the server stopped, because it has the file of the embedded database.
func TestCommandsBesideAServer(t *testing.T) {
	onEachOperated(t, func(t *testing.T, o operated) {
		alice := o.register("alice@example.org")
		socket := o.listen(alice)
		o.register("bob@example.org")
		if out := o.command("users", "list", "ALICE"); !strings.Contains(out, "alice@example.org") || strings.Contains(out, "bob@") {
			t.Errorf("list: %s", out)
		}
		var made struct{ Email, Password string }
		text := o.command("users", "reset-password", "alice@example.org", "--json")
		if err := json.Unmarshal([]byte(text), &made); err != nil || made.Email != "alice@example.org" || len(made.Password) < 20 {
			t.Fatalf("reset-password: %v %s", err, text)
		}
		if !socket.gone() {
			t.Error("a socket of the password of before is open")
		}
		if a := o.call("GET", "/api/user/profile", alice, ""); a.code != 401 {
			t.Errorf("a token of before: %d %s", a.code, a.body)
		}
		if !o.app.cfg.OnPostgres() { // the hash takes its time, once
			o.checkSignIn(made.Password)
		}
		if strings.Contains(o.log.String(), made.Password) {
			t.Error("the password is in the log")
		}
		o.checkTokenAndEnd("bob@example.org")
	})
}

// What a command does to an account closes its sockets at once, in every process: while none of
// them polls.
func TestSocketsOfAnEndedSessionDoNotWaitForAPoll(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { checkEndedAtOnce(t, 1, "DATA_DIR="+shortFolder(t)) })
	t.Run("postgres", func(t *testing.T) {
		checkEndedAtOnce(t, 2, "DATABASE_URL="+storetest.PostgresOptions(t, storetest.PostgresDSN(t)).URL)
	})
	t.Run("redis", func(t *testing.T) {
		database := storetest.PostgresOptions(t, storetest.PostgresDSN(t)).URL
		checkEndedAtOnce(t, 2, "DATABASE_URL="+database, "REDIS_URL="+testneed.Redis(t))
	})
}

func checkEndedAtOnce(t *testing.T, processes int, environ ...string) {
	var all []*running
	for range processes {
		all = append(all, startChanged(t, settings(t, environ...), func(a *App) { a.tail.PollEvery(time.Hour) }))
	}
	o := operated{all[0], append(environ, "JWT_SECRET="+testSecret)}
	for _, r := range all {
		if processes > 1 {
			r.awaitHints(t, "ok")
			r.within(patience, "they have met", func() bool { return r.app.remoteHints.Stats().Senders >= processes-1 })
		}
	}
	for i, command := range [][]string{{"users", "reset-password"}, {"users", "sign-out"}, {"users", "delete", "--yes"}} {
		email := fmt.Sprintf("ended%d@example.org", i)
		token := o.register(email)
		var open []*socket
		for _, r := range all {
			open = append(open, r.listen(token))
		}
		o.command(append(command, email)...)
		for p, s := range open {
			if !s.gone() {
				t.Errorf("%v: the socket of process %d stays open", command, p)
			}
		}
	}
}

func (o operated) checkSignIn(password string) {
	signIn := `{"email":"alice@example.org","password":"` + password + `"}`
	if a := o.call("POST", "/api/auth/login", "", signIn); a.code != 200 {
		o.t.Errorf("sign-in with the password that was printed: %d %s", a.code, a.body)
	}
}

// checkTokenAndEnd has a token made, which ends with a sign-out, and deletes the account.
func (o operated) checkTokenAndEnd(email string) {
	t := o.t
	token := strings.TrimSpace(o.command("token", email, "--expires", "1h"))
	if a := o.call("GET", "/api/user/profile", token, ""); a.code != 200 {
		t.Errorf("the token that was made: %d %s", a.code, a.body)
	}
	socket := o.listen(token)
	if out := o.command("users", "sign-out", email); !strings.Contains(out, email) {
		t.Errorf("sign-out: %s", out)
	}
	if !socket.gone() {
		t.Error("a socket is open after the sign-out")
	}
	if a := o.call("GET", "/api/user/profile", token, ""); a.code != 401 {
		t.Errorf("the token after the sign-out: %d %s", a.code, a.body)
	}
	if strings.Contains(o.log.String(), token) {
		t.Error("the token is in the log")
	}
	o.refused("add --yes", "users", "delete", email)
	o.command("users", "delete", email, "--yes")
	o.refused("There is no account "+email, "users", "delete", email, "--yes")
}

func TestAnOperatorMakesAccountsByTheRulesOfPasswords(t *testing.T) {
	data := shortFolder(t)
	s, err := store.Open(t.Context(), store.Options{URL: filepath.Join(data, "expenseflow.db")})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	command := func(stdin string, args ...string) (int, string) {
		var out, errs strings.Builder
		code := Command{
			Args: args, Environ: []string{"DATA_DIR=" + data}, Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs,
		}.Run(t.Context())
		return code, out.String() + errs.String()
	}
	for _, c := range []struct {
		stdin string
		args  string
		code  int
		want  string
	}{
		{"", "users list", exitOK, "no such account"},
		{"short\n", "users create alice@example.org --password-stdin", exitFailed, "at least 8 characters"},
		{"a long enough one\n", "users create alice@example.org --password-stdin --name Alice\x1b[2J", exitOK, "made the account"},
		{"", "users create alice@example.org", exitFailed, "already exists"},
		{"", "users list", exitOK, "Alice?[2J"},
		{"", "token alice@example.org", exitFailed, "No secret signs tokens yet"},
		{"", "users", exitRefused, "list, create, reset-password, sign-out or delete?"},
		{"", "users show", exitRefused, "--help explains it"},
		{"", "users delete", exitRefused, "needs the e-mail address"},
		{"", "users list --yaml", exitRefused, "-yaml"},
		{"p\xe4sswort, latin\n", "users reset-password alice@example.org --password-stdin", exitFailed, "no text in UTF-8"},
		{strings.Repeat("x", maxPasswordLine), "users reset-password alice@example.org --password-stdin", exitFailed, "right file?"},
		{"", "token alice@example.org --expires soon", exitRefused, "no time such as"},
		{"", "delete-user alice@example.org", exitRefused, "expenseflow users delete EMAIL --yes"},
	} {
		if code, text := command(c.stdin, strings.Fields(c.args)...); code != c.code || !strings.Contains(text, c.want) {
			t.Errorf("%s: exit code %d, %s, want %d, %q", c.args, code, text, c.code, c.want)
		}
	}
}

// A variable of a script that is empty names nobody.
func TestAnEmptyAccountIsNone(t *testing.T) {
	for _, args := range [][]string{
		{"users", "delete", "", "--yes"},
		{"users", "reset-password", ""},
		{"users", "sign-out", ""},
		{"users", "create", ""},
		{"token", ""},
	} {
		code, _, errs := run(t, t.Context(), args, "DATA_DIR="+t.TempDir())
		if code != exitRefused || !strings.Contains(errs, "it needs") {
			t.Errorf("%q: exit code %d, %s", args, code, errs)
		}
	}
}

func TestCommandsWithoutADatabaseMakeNone(t *testing.T) {
	data := shortFolder(t)
	code, _, errs := run(t, t.Context(), []string{"users", "list"}, "DATA_DIR="+data)
	if code != exitFailed || !strings.Contains(errs, "start the server once") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	if left, _ := os.ReadDir(data); len(left) > 0 {
		t.Errorf("made %v", left)
	}
	o := storetest.PostgresOptions(t, storetest.PostgresDSN(t))
	if code, _, errs := run(t, t.Context(), []string{"users", "list"}, "DATABASE_URL="+o.URL); code != exitFailed ||
		!strings.Contains(errs, "The database is empty: start the server once") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}

func TestAServerInAFolderOfTooLongANameServes(t *testing.T) {
	data := filepath.Join(shortFolder(t), strings.Repeat("x", control.MaxPath))
	r := start(t, "DATA_DIR="+data)
	if !strings.Contains(r.log.String(), "need this server stopped") {
		t.Error("the log does not say that there is no socket")
	}
	code, _, errs := run(t, t.Context(), []string{"users", "list"}, "DATA_DIR="+data)
	if code != exitFailed || !strings.Contains(errs, "stop it first") || !strings.Contains(errs, "choose a shorter folder") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}

// A socket that a killed server left does not keep commands from the file.
func TestASocketThatNobodyServesIsPassedOver(t *testing.T) {
	o := operated{}
	data := shortFolder(t)
	o.running, o.environ = start(t, "DATA_DIR="+data), []string{"DATA_DIR=" + data, "JWT_SECRET=" + testSecret}
	o.register("alice@example.org")
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(data, "expenseflow.db.sock")
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a server that ended left its socket: %v", err)
	}
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	if out := o.command("users", "list"); !strings.Contains(out, "alice@example.org") {
		t.Errorf("list: %s", out)
	}
}
