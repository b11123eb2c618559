package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
)

// runOnce is run of the command with the environment of o, while no server runs.
func (o operated) runOnce(args ...string) (code int, text string) {
	o.t.Helper()
	code, out, errs := run(o.t, o.t.Context(), args, o.environ...)
	return code, out + errs
}

// What was stored after the backup is gone, who had its position begins anew, and the database
// of before is kept.
func TestABackupIsRestored(t *testing.T) {
	onEachOperated(t, func(t *testing.T, o operated) {
		alice, folder := o.register("alice@example.org"), t.TempDir()
		o.expense(alice)
		made := o.backUp(folder)
		o.expense(alice)
		before := o.call("GET", "/api/sync/changes?since=0", alice, "")
		if code, text := o.runOnce("restore", made.Path, "--replace"); code != exitFailed || !strings.Contains(text, "stop") {
			t.Errorf("beside a server: exit code %d, %s", code, text)
		}
		if err := o.stop(); err != nil {
			t.Fatal(err)
		}
		if code, text := o.runOnce("restore", made.Path); code != exitFailed || !strings.Contains(text, "add --replace") {
			t.Errorf("without --replace: exit code %d, %s", code, text)
		}
		code, text := o.runOnce("restore", made.Path, "--replace")
		if code != exitOK || !strings.Contains(text, "restored 1 account and 1 expense:") || !strings.Contains(text, "before") {
			t.Fatalf("exit code %d, %s", code, text)
		}
		r := start(t, o.environ...)
		after := r.call("GET", "/api/sync/changes?since="+before.field("next"), alice, "")
		if strings.Count(after.body, `"_id"`) != 1 || after.field("epoch") == before.field("epoch") {
			t.Errorf("since a position of before: %s", after.body)
		}
		r.expense(alice)
	})
}

// A dump that is taken while changes are stored is of one moment, and a newer one is refused.
func TestADumpOfABusyServer(t *testing.T) {
	o := operatedOnPostgres(t)
	alice, folder := o.register("alice@example.org"), t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	writing.Go(func() {
		for ctx.Err() == nil {
			o.expense(alice)
		}
	})
	made := o.backUp(folder)
	stop()
	writing.Wait()
	if made.Held.Expenses() != made.Held.Rows["changes"] {
		t.Errorf("%+v", made)
	}
	if err := o.app.store.RecordBackup(t.Context(), made.Of); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(made.Path)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(folder, "cut.dump")
	if err := os.WriteFile(cut, data[:len(data)*2/3], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	empty := touch(t, filepath.Join(folder, "x"))
	for file, want := range map[string]string{cut: "damaged", empty: "no dump", "absent": "cannot be read"} {
		if code, text := o.runOnce("restore", file, "--replace"); code != exitFailed || !strings.Contains(text, want) {
			t.Errorf("%s: exit code %d, %s", file, code, text)
		}
	}
	if code, text := run2(run(t, t.Context(), []string{"restore", made.Path}, "DATA_DIR="+t.TempDir())); code != exitFailed ||
		!strings.Contains(text, "is of PostgreSQL") {
		t.Errorf("into SQLite: exit code %d, %s", code, text)
	}
}

func run2(code int, out, errs string) (int, string) { return code, out + errs }

func operatedOnPostgres(t *testing.T) operated {
	t.Helper()
	environ := []string{
		"DATABASE_URL=" + storetest.PostgresOptions(t, storetest.PostgresDSN(t)).URL, "DATA_DIR=" + shortFolder(t),
		"JWT_SECRET=" + testSecret,
	}
	return operated{start(t, environ...), environ}
}

// Without pg_dump, or with one that is too old, the sentence says what to install.
func TestABackupWithoutTheRightPgDump(t *testing.T) {
	o, bin := operatedOnPostgres(t), t.TempDir()
	t.Setenv("PATH", bin)
	o.refused("pg_dump is not in PATH", "backup", "--to", t.TempDir())
	script := "#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n"
	if err := os.WriteFile(filepath.Join(bin, "pg_dump"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	o.refused("install the client programs of PostgreSQL", "backup", "--to", t.TempDir())
}

func TestADumpOntoAFullDisk(t *testing.T) {
	o, folder := operatedOnPostgres(t), testneed.SmallDisk(t, 1)
	o.expense(o.register("alice@example.org"))
	fillUp(t, touch(t, filepath.Join(folder, "ballast")))
	o.refused("is full", "backup", "--to", folder)
	if left, err := filepath.Glob(filepath.Join(folder, "*.dump")); err != nil || len(left) > 0 {
		t.Errorf("left: %v", errors.Join(err))
	}
}

func TestRestoreAndMoveSayWhatIsWrongWithTheirArguments(t *testing.T) {
	for args, want := range map[string]string{
		"restore": "it needs one file", "restore a b": "it needs one file", "move": "it needs --to", "move x --to y": "too many",
	} {
		code, text := run2(run(t, t.Context(), strings.Fields(args), "DATA_DIR="+t.TempDir()))
		if code != exitRefused || !strings.Contains(text, want) {
			t.Errorf("%s: exit code %d, %s", args, code, text)
		}
	}
	code, text := run2(run(t, t.Context(), []string{"move", "--to", "x.db"}, "DATA_DIR="+t.TempDir()))
	if code != exitFailed || !strings.Contains(text, "no database to move") {
		t.Errorf("exit code %d, %s", code, text)
	}
}
