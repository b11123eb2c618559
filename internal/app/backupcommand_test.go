package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"expenseflow/internal/backup"
	"expenseflow/internal/store/transfer"
	"expenseflow/internal/testneed"
)

// backUp has a backup made that must succeed.
func (o operated) backUp(folder string, more ...string) (b backup.Backup) {
	o.t.Helper()
	code, out, errs := run(o.t, o.t.Context(), append([]string{"backup", "--json", "--to", folder}, more...), o.environ...)
	if err := json.Unmarshal([]byte(out), &b); err != nil || code != exitOK {
		o.t.Fatalf("exit code %d, %v: %s%s", code, err, out, errs)
	}
	return b
}

// names are the files of a folder that have no dot before them.
func names(t *testing.T, folder string) (all []string) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name()[0] != '.' {
			all = append(all, f.Name())
		}
	}
	return all
}

func sqliteOperated(t *testing.T, more ...string) operated {
	t.Helper()
	environ := append(more, "DATA_DIR="+shortFolder(t), "JWT_SECRET="+testSecret)
	return operated{start(t, environ...), environ}
}

// A server that stores changes goes on doing so while a backup is made, which is of one moment
// and known to metrics and doctor.
func TestABackupBesideAServerThatStoresChanges(t *testing.T) {
	o := sqliteOperated(t, "METRICS_ADDR=127.0.0.1:0")
	alice, folder := o.register("alice@example.org"), filepath.Join(t.TempDir(), "made", "here")
	ctx, stop := context.WithCancel(t.Context())
	stored := 0
	var writing sync.WaitGroup
	writing.Go(func() {
		for ctx.Err() == nil {
			o.expense(alice)
			stored++
		}
	})
	first, second := o.backUp(folder), o.backUp(folder, "--keep", "7")
	stop()
	writing.Wait()
	for _, b := range []backup.Backup{first, second} {
		found, err := transfer.InspectFile(t.Context(), b.Path)
		if err != nil || b.Held.Difference(found) != "" || found.Expenses() != found.Rows["changes"] {
			t.Errorf("%s: %v, %+v", b.Path, err, found)
		}
		if info, err := os.Stat(b.Path); err != nil || info.Mode().Perm() != 0o600 || info.Size() != b.Bytes {
			t.Errorf("%v %v", info, err)
		}
	}
	if second.Path <= first.Path || second.Held.Expenses() < first.Held.Expenses() || second.Held.Expenses() > int64(stored) {
		t.Errorf("%+v after %+v", second, first)
	}
	if !o.app.readFigures(t.Context()) ||
		!strings.Contains(o.metrics(), fmt.Sprintf("expenseflow_backup_timestamp_seconds %g\n", float64(second.Of.Unix()))) {
		t.Error("the metric does not say it")
	}
	finds(t, examine(t, append(o.environ, "HOST=127.0.0.1", "PORT="+o.port())), map[string]string{"backup": "ok: the last"})
}

// Without a server the command opens the file by itself.
func TestABackupWithoutAServer(t *testing.T) {
	o := sqliteOperated(t)
	o.expense(o.register("alice@example.org"))
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	if b := o.backUp(t.TempDir()); b.Held.Users() != 1 || b.Held.Expenses() != 1 {
		t.Errorf("%+v", b)
	}
}

// --keep removes the oldest that the command made, and nothing else that lies in the folder.
func TestKeepRemovesOnlyBackups(t *testing.T) {
	o, folder := sqliteOperated(t), t.TempDir()
	others := []string{
		"expenseflow-2020-01-01T000000Z.db.gz", "expenseflow-old.db", "expenseflow.db", "my-expenseflow-2020-01-01T000000Z.db",
		"expenseflow-2020-01-01T000000Z.dump",
	}
	for _, name := range append(others, "expenseflow-2020-01-01T000000Z.db", "expenseflow-2020-01-02T000000Z.db") {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, ".expenseflow-1.db.partial"), []byte("of a killed one"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := o.backUp(folder, "--keep", "2")
	got := strings.Join(names(t, folder), " ")
	if _, err := os.Stat(filepath.Join(folder, "expenseflow-2020-01-01T000000Z.db")); err == nil {
		t.Error("the oldest is there")
	}
	if !strings.Contains(got, "expenseflow-2020-01-02T000000Z.db ") || !strings.Contains(got, filepath.Base(b.Path)) {
		t.Errorf("left: %s", got)
	}
	for _, name := range others {
		if !strings.Contains(got, name) {
			t.Errorf("%s is gone", name)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, ".expenseflow-1.db.partial")); err == nil {
		t.Error("what a killed command left is there")
	}
}

// A backup that does not fit leaves nothing, and removes no older one.
func TestABackupOntoAFullDisk(t *testing.T) {
	o, folder := sqliteOperated(t), testneed.SmallDisk(t, 1)
	o.register("alice@example.org")
	older := o.backUp(folder)
	fillUp(t, touch(t, filepath.Join(folder, "ballast")))
	o.refused("is full", "backup", "--to", folder, "--keep", "1")
	if got := names(t, folder); len(got) != 2 || got[1] != filepath.Base(older.Path) {
		t.Errorf("left: %v", got)
	}
	if hidden, _ := filepath.Glob(filepath.Join(folder, ".*.partial*")); len(hidden) > 0 {
		t.Errorf("left: %v", hidden)
	}
	if a := o.call(http.MethodGet, "/readyz", "", ""); a.code != http.StatusOK {
		t.Errorf("the server: %d %s", a.code, a.body)
	}
}

func touch(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A command that stays writes the next backup when the newest is old enough, whoever made it,
// and ends without an error.
func TestBackupEveryGoesOnWhereAnotherLeftOff(t *testing.T) {
	o, folder := sqliteOperated(t), t.TempDir()
	o.backUp(folder)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	again := func(folder string) {
		go func() {
			code, _, _ := run(t, ctx, []string{"backup", "--every", "24h", "--keep", "7", "--to", folder}, o.environ...)
			ended <- code
		}()
	}
	again(folder)
	old := time.Now().Add(-25 * time.Hour).UTC().Format("2006-01-02T150405Z")
	other := t.TempDir()
	touch(t, filepath.Join(other, "expenseflow-"+old+".db"))
	again(other)
	o.within(patience, "one is due", func() bool { return len(names(t, other)) == 2 })
	stop()
	if n := len(names(t, folder)); n != 1 {
		t.Errorf("%d backups where none was due", n)
	}
	for range 2 {
		if code := <-ended; code != exitOK {
			t.Errorf("exit code %d", code)
		}
	}
}

func TestBackupSaysWhatIsWrongWithItsArguments(t *testing.T) {
	for args, want := range map[string]string{
		"":                          "it needs --to",
		"--to x y":                  "one argument too many",
		"--to x --every 5s":         "no time of a minute or more",
		"--to x --every often":      "no time of a minute or more",
		"--to x --keep -1":          "no number",
		"--to x --compress":         "-compress",
		"--to x --every 1h --keep ": "-keep",
	} {
		code, _, errs := run(t, t.Context(), append([]string{"backup"}, strings.Fields(args)...), "DATA_DIR="+t.TempDir())
		if code != exitRefused || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, %s", args, code, errs)
		}
	}
	o := sqliteOperated(t)
	file := touch(t, filepath.Join(t.TempDir(), "file"))
	o.refused("a part of its path is a file", "backup", "--to", filepath.Join(file, "folder"))
}
