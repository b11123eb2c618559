package store_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"golang.org/x/sync/errgroup"
)

func TestBothEnginesHaveTheSameSchema(t *testing.T) {
	dsn := storetest.PostgresDSN(t)
	lite := storetest.Open(t, storetest.SQLiteOptions(t))
	pg := storetest.Open(t, storetest.PostgresOptions(t, dsn))
	want := must(lite.Shapes(t.Context()))(t)
	same(t, "PostgreSQL's schema", want, must(pg.Shapes(t.Context()))(t))
	for table, words := range want {
		if len(words) < 2 {
			t.Errorf("table %s has only %v", table, words)
		}
	}
}

// refused opens a store that must not open and gives the sentence.
func refused(t testing.TB, o store.Options) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := store.Open(ctx, o)
	if err == nil {
		s.Close()
		t.Fatalf("%s opens", o.URL)
	}
	if models.KindOf(err) == models.Internal {
		t.Errorf("not a sentence for people: %v", err)
	}
	msg := models.Message(err)
	if strings.Contains(msg, "\n") || len(msg) > 400 {
		t.Errorf("not one clear sentence: %q", msg)
	}
	return msg
}

func wantWords(t testing.TB, msg string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(msg, w) {
			t.Errorf("%q does not say %q", msg, w)
		}
	}
}

func TestASecondProcessOnOneFileIsRefused(t *testing.T) {
	o := storetest.SQLiteOptions(t)
	s := storetest.Open(t, o)
	wantWords(t, refused(t, o), o.URL, "in use by another process")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	storetest.Open(t, o)
}

func TestALinkToTheFileIsTheSameFile(t *testing.T) {
	o := storetest.SQLiteOptions(t)
	storetest.Open(t, o)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(o.URL, link); err != nil {
		t.Fatal(err)
	}
	o.URL = link
	wantWords(t, refused(t, o), "in use by another process")
}

func TestTheFileIsItsOwnersAlone(t *testing.T) {
	o := storetest.SQLiteOptions(t)
	o.URL = filepath.Join(filepath.Dir(o.URL), "data", "expenseflow.db")
	storetest.User(t, storetest.Open(t, o))
	for _, name := range []string{filepath.Dir(o.URL), o.URL, o.URL + "-wal", o.URL + ".lock"} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestABinaryOlderThanTheSchemaIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		s := storetest.Open(t, o)
		err := s.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, ?)", true)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		wantWords(t, refused(t, o), "newer version", "9999")
	})
}

func TestASchemaChangedByHandIsRefused(t *testing.T) {
	for statement, complaint := range map[string]string{
		"DROP INDEX operations_key":                 "operations lacks index operations_key",
		"ALTER TABLE expenses DROP COLUMN notes":    "expenses lacks column notes",
		"ALTER TABLE devices ADD COLUMN extra TEXT": "devices has an unknown column extra",
		"DROP TABLE aliases":                        "table aliases is missing",
	} {
		storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
			o := options(t)
			s := storetest.Open(t, o)
			if err := s.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			wantWords(t, refused(t, o), "not the one this program made", complaint)
		})
	}
}

func TestProcessesThatStartTogetherMigrateOnce(t *testing.T) {
	dsn := storetest.PostgresDSN(t)
	o := storetest.PostgresOptions(t, dsn)
	var g errgroup.Group
	for range 6 {
		g.Go(func() error {
			s, err := store.Open(t.Context(), o)
			if err != nil {
				return err
			}
			return s.Close()
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

func TestOpenMakesTheFolder(t *testing.T) {
	for _, name := range []string{"a/b/c.db", "odd ?name#with%41 signs&=ü/it's.db"} {
		o := storetest.SQLiteOptions(t)
		o.URL = filepath.Join(filepath.Dir(o.URL), filepath.FromSlash(name))
		storetest.User(t, storetest.Open(t, o))
		if _, err := os.Stat(o.URL); err != nil {
			t.Errorf("the database is elsewhere: %v", err)
		}
	}
}

func TestFilesThatCannotBeOpenedAreExplained(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, words := range map[string][]string{
		text:                           {text, "not a SQLite database"},
		filepath.Join(text, "x.db"):    {"part of its path is a file"},
		filepath.Join(text, "y/x.db"):  {"part of its path is a file"},
		"mysql://root@localhost/money": {"mysql://", "postgres://"},
		dir:                            {dir, "is a folder"},
	} {
		wantWords(t, refused(t, store.Options{URL: path}), words...)
	}
}

// TestAFolderOfAnotherUserIsExplainedWithTheChown runs a child as another user,
// for root may write everywhere.
func TestAFolderOfAnotherUserIsExplainedWithTheChown(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no owners of this kind")
	}
	dir := t.TempDir()
	closed := filepath.Join(dir, "data")
	if err := os.Mkdir(closed, 0o555); err != nil {
		t.Fatal(err)
	}
	out := asOtherUser(t, dir, "open", filepath.Join(closed, "expenseflow.db"))
	wantWords(t, out, "chown -R", closed)
	wantWords(t, asOtherUser(t, dir, "open", filepath.Join(closed, "deeper", "expenseflow.db")), "chown -R", closed+"\n")
}

func TestPostgresThatCannotBeReachedIsExplained(t *testing.T) {
	dsn := storetest.PostgresDSN(t)
	change := func(f func(u *url.URL)) string {
		u := *must(url.Parse(dsn))(t)
		f(&u)
		return u.String()
	}
	param := func(key, value string) func(*url.URL) {
		return func(u *url.URL) {
			q := u.Query()
			q.Set(key, value)
			u.RawQuery = q.Encode()
		}
	}
	for dsn, words := range map[string][]string{
		"postgres://u:secret@127.0.0.1:1/db":                                                {"127.0.0.1:1", "cannot be reached"},
		"postgres://u:secret@name.invalid/db":                                               {"name.invalid", "cannot be reached"},
		"postgres://u:sec ret@[::1/db":                                                      {"not a valid PostgreSQL URL"},
		change(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "secret") }): {"refuses the password", "expenseflow"},
		change(func(u *url.URL) { u.Path = "/nosuch" }):                                     {`no database "nosuch"`},
		change(param("sslmode", "require")):                                                 {"does not speak TLS", "sslmode=disable"},
		fakeServer(t, untrusted(t)) + "?sslmode=verify-full":                                {"not trusted", "sslrootcert"},
		fakeServer(t, refusing("28000", "no pg_hba.conf entry for host \"::1\", user \"u\", database \"d\", no encryption")) +
			"?sslmode=disable": {"sslmode=require"},
		fakeServer(t, refusing("28000", "no pg_hba.conf entry for host \"::1\", user \"u\", database \"d\", SSL encryption")) +
			"?sslmode=disable": {"sslmode=disable"},
		fakeServer(t, refusing("28000", "role \"u\" is not permitted to log in")) + "?sslmode=disable": {`"u"`, "pg_hba.conf"},
		fakeServer(t, refusing("53300", "sorry, too many clients already")) + "?sslmode=disable":       {"53300"},
	} {
		msg := refused(t, store.Options{URL: dsn})
		wantWords(t, msg, words...)
		if strings.Contains(msg, "secret") {
			t.Errorf("the password is told: %s", msg)
		}
	}
}

func TestUserWhoMayNotMakeTablesIsToldHow(t *testing.T) {
	o := storetest.PostgresOptions(t, storetest.PostgresDSN(t))
	u := must(url.Parse(o.URL))(t)
	schema := u.Query().Get("search_path")
	db := must(pgx.Connect(t.Context(), o.URL))(t)
	defer db.Close(context.Background())
	role := "lowly_" + schema
	must(db.Exec(t.Context(), "CREATE ROLE "+role+" LOGIN PASSWORD 'secret'; GRANT USAGE ON SCHEMA "+schema+" TO "+role))(t)
	defer func() {
		if _, err := db.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	}()
	u.User = url.UserPassword(role, "secret")
	o.URL = u.String()
	wantWords(t, refused(t, o), "make tables", "GRANT USAGE, CREATE ON SCHEMA "+schema+` TO "`+role+`"`)
}

// fakeServer is the URL of a server that treats everybody like this.
func fakeServer(t *testing.T, treat func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	g.Go(func() error {
		for {
			conn, err := l.Accept()
			if err != nil {
				return nil // the test has ended
			}
			treat(conn)
			conn.Close()
		}
	})
	t.Cleanup(func() { l.Close(); _ = g.Wait() })
	return "postgres://u:secret@" + l.Addr().String() + "/d"
}

// refusing greets with this refusal.
func refusing(code, message string) func(net.Conn) {
	return func(conn net.Conn) {
		backend := pgproto3.NewBackend(conn, conn)
		if _, err := backend.ReceiveStartupMessage(); err != nil {
			return
		}
		backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: message})
		_ = backend.Flush() // the client may have gone
	}
}

// untrusted speaks TLS with a certificate that nobody has signed.
func untrusted(t *testing.T) func(net.Conn) {
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	return func(conn net.Conn) {
		if _, err := io.ReadFull(conn, make([]byte, 8)); err != nil {
			return
		}
		_, _ = conn.Write([]byte("S"))                       // yes, TLS
		_ = tls.Server(conn, server.TLS.Clone()).Handshake() // the client ends it
	}
}

func TestCloseTwiceAndUseAfterwards(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Errorf("Close: %v", err)
		}
		wantKind(t, "Ping", s.Ping(t.Context()), models.Unavailable)
		wantKind(t, "Write", s.Write(t.Context(), u.ID, func(*store.Tx) error { return nil }), models.Unavailable)
		_, err := s.Head(t.Context(), u.ID)
		wantKind(t, "Head", err, models.Unavailable)
	})
}
