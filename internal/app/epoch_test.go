package app

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/store/storetest"

	"github.com/jackc/pgx/v5"
)

// After a restored backup the position of a device in the lost log must not be taken for
// "you are up to date".
func TestAfterARestoredBackupDevicesBeginAnew(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	environ := []string{"HOST=127.0.0.1", "PORT=0", "DATA_DIR=" + data, "SHUTDOWN_DELAY=0", "JWT_SECRET=" + testSecret}
	r := start(t, environ...)
	alice := r.register("alice@example.org")
	r.expense(alice)
	first := r.call("GET", "/api/sync/changes?since=0", alice, "")
	if first.code != 200 || !strings.Contains(first.body, `"changes":[{"seq":1,`) {
		t.Fatalf("changes: %d %s", first.code, first.body)
	}
	if code, _, stderr := run(t, t.Context(), []string{"epoch"}, environ...); code != 1 ||
		!strings.Contains(stderr, "There is no new epoch") {
		t.Errorf("while a server has the database: exit code %d, stderr %s", code, stderr)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}

	code, stdout, stderr := run(t, t.Context(), []string{"epoch"}, environ...)
	if code != 0 || !strings.HasPrefix(stdout, "new epoch ") || strings.Contains(stdout, first.field("epoch")) {
		t.Fatalf("exit code %d, stdout %s, stderr %s", code, stdout, stderr)
	}

	r = start(t, environ...)
	next := r.call("GET", "/api/sync/changes?since="+first.field("next"), alice, "")
	if next.code != 200 || !strings.Contains(next.body, `"snapshot":true,"seq":1,`) || strings.Count(next.body, `"_id"`) != 1 {
		t.Errorf("since a position of before: %d %s", next.code, next.body)
	}
	if again := r.call("GET", "/api/sync/changes?since="+next.field("next"), alice, ""); !strings.Contains(again.body,
		`"more":false,"changes":[]`) {
		t.Errorf("since the snapshot: %s", again.body)
	}
}

func TestEpochMakesNoDatabase(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	code, _, stderr := run(t, t.Context(), []string{"epoch"}, "DATA_DIR="+data)
	if code != 1 || !strings.Contains(stderr, "no database is restored there yet") {
		t.Errorf("exit code %d, stderr %s", code, stderr)
	}
	if files, _ := filepath.Glob(data + "/*"); len(files) > 0 {
		t.Errorf("made %v", files)
	}
	if code, _, _ := run(t, t.Context(), []string{"epoch"}, "PORT=x"); code != 2 {
		t.Errorf("with a setting that is wrong: exit code %d", code)
	}
}

// A time from before a restored backup was taken for a position in the new log, and one in
// the future for "you are up to date": the device kept what does not exist any more.
func TestAMomentOfAnotherEpochOrToComeGivesEverythingAnew(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	r.expense(alice)
	before := r.call("GET", "/api/sync/pull", alice, "").field("serverTime")
	if _, err := r.app.store.NewEpoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := r.listen(alice)
	for name, moment := range map[string]string{"of before": before, "to " +
		"come": time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano)} {
		moment = url.QueryEscape(moment)
		if a := r.call("GET", "/api/sync/changes?since="+moment, alice, ""); !strings.Contains(a.body, `"snapshot":true`) {
			t.Errorf("changes since a moment %s: %s", name, a.body)
		}
		if a := r.call("GET", "/api/sync/pull?lastSyncTime="+moment, alice, ""); strings.Count(a.body, `"_id"`) != 1 {
			t.Errorf("pull since a moment %s: %s", name, a.body)
		}
		moment, _ = url.QueryUnescape(moment)
		for _, key := range []string{"since", "lastSyncedAt"} {
			s.ask("sync_request", fmt.Sprintf(`{%q:%q}`, key, moment))
			s.next() // sync_data
			if got := s.next(); !strings.Contains(got, `"snapshot":true`) {
				t.Errorf("sync_request {%s} of a moment %s: %s", key, name, got)
			}
		}
	}
}

// The serverTime that a client got after the restored backup is a cursor again, also for an
// account without a change since.
func TestAMomentOfThisEpochGoesOn(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	r.expense(alice)
	if _, err := r.app.store.NewEpoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	moment := url.QueryEscape(r.call("GET", "/api/sync/pull", alice, "").field("serverTime"))
	if a := r.call("GET", "/api/sync/pull?lastSyncTime="+moment, alice, ""); strings.Contains(a.body, `"_id"`) {
		t.Errorf("pull: %s", a.body)
	}
	if a := r.call("GET", "/api/sync/changes?since="+moment, alice, ""); !strings.Contains(a.body, `"changes":[]`) {
		t.Errorf("changes: %s", a.body)
	}
	r.expense(alice)
	if a := r.call("GET", "/api/sync/pull?lastSyncTime="+moment, alice, ""); strings.Count(a.body, `"_id"`) != 1 {
		t.Errorf("pull after a change: %s", a.body)
	}
}

// Servers that ran while the command epoch was called continued in the old epoch.
func TestRunningServersNoticeTheCommandEpoch(t *testing.T) {
	database := "DATABASE_URL=" + storetest.PostgresOptions(t, storetest.PostgresDSN(t)).URL
	r := start(t, database)
	alice := r.register("alice@example.org")
	r.expense(alice)
	s := r.listen(alice)
	before := r.call("GET", "/api/sync/changes?since=0", alice, "")
	if code, _, stderr := run(t, t.Context(), []string{"epoch"}, database, "JWT_SECRET="+testSecret); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if !s.gone() {
		t.Error("a socket goes on in the epoch of before")
	}
	a := r.call("GET", "/api/sync/changes?since="+before.field("next"), alice, "")
	if !strings.Contains(a.body, `"snapshot":true`) || a.field("epoch") == before.field("epoch") {
		t.Errorf("since a position of before: %s", a.body)
	}
}

// A backup was restored under a running server without the command epoch: devices that had
// received more continued, and missed the changes that got the same sequences.
func TestALogThatBecameShorterUnderARunningServerWentOn(t *testing.T) {
	database := storetest.PostgresOptions(t, storetest.PostgresDSN(t)).URL
	r := start(t, "DATABASE_URL="+database)
	alice, bob := r.register("alice@example.org"), r.register("bob@example.org")
	r.expense(alice)
	backup := r.call("GET", "/api/sync/changes?since=0", alice, "")
	r.expense(alice)
	r.expense(bob)
	later := r.call("GET", "/api/sync/changes?since=0", alice, "")
	hers, his := r.listen(alice), r.listen(bob)
	db, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	for _, statement := range []string{
		"DELETE FROM changes WHERE seq > 1", "DELETE FROM expenses e WHERE NOT EXISTS (SELECT 1 FROM changes c WHERE c.entity_id = " +
			"e.id)",
		"UPDATE users SET seq = 1", "TRUNCATE moved", // a restore makes all tables anew
	} {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if !hers.gone() || !his.gone() {
		t.Error("a socket goes on in the log that is lost")
	}
	r.expense(alice) // the second change, under a number that she knows
	a := r.call("GET", "/api/sync/changes?since="+later.field("next"), alice, "")
	if !strings.Contains(a.body, `"snapshot":true`) || a.field("epoch") == backup.field("epoch") {
		t.Errorf("since a position that was lost: %s", a.body)
	}
	epoch := a.field("epoch")
	time.Sleep(2500 * time.Millisecond) // as many looks at the log
	if a := r.call("GET", "/api/sync/changes?since=0", alice, ""); a.field("epoch") != epoch {
		t.Error("another epoch has begun, though nothing was lost")
	}
}

// A bare number has no epoch: it is a sequence of the present log, and of another one if it
// is beyond the end.
func TestABareNumberBeyondTheLogGivesEverythingAnew(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	r.expense(alice)
	for since, want := range map[string]string{"1": `"changes":[]`, "2": `"snapshot":true`, "4000000": `"snapshot":true`} {
		if a := r.call("GET", "/api/sync/changes?since="+since, alice, ""); !strings.Contains(a.body, want) {
			t.Errorf("since %s: %s", since, a.body)
		}
	}
}
