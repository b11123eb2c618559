package processes_test

import (
	"context"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// cluster opens stores on one database, as several processes do.
func cluster(t testing.TB, n int) (url string, stores []*store.Store) {
	t.Helper()
	o := storetest.PostgresOptions(t, storetest.PostgresDSN(t))
	for range n {
		stores = append(stores, storetest.Open(t, o))
	}
	return o.URL, stores
}

func (f *follower) wantGeneration(generation int64, living ...string) {
	f.t.Helper()
	var ids []string
	for _, m := range f.beat() {
		ids = append(ids, m.ID)
	}
	storetest.Same(f.t, "living for "+f.member.ID, living, ids)
	storetest.Same(f.t, "generation of "+f.member.ID, generation, f.member.Generation)
}

// A process that is stopped in the middle of a statement kept a lock for which the heartbeats
// of all others waited.
func TestNoHeartbeatWaitsForAnotherProcess(t *testing.T) {
	url, stores := cluster(t, 2)
	a := &follower{t: t, s: stores[0], member: models.Member{ID: "a"}}
	b := &follower{t: t, s: stores[1], member: models.Member{ID: "b"}}
	a.wantGeneration(1, "a")
	b.wantGeneration(1, "a", "b")
	held := connect(t, url)
	execute(t, held, "BEGIN")
	execute(t, held, "UPDATE processes SET heartbeat_at = heartbeat_at - 11000 WHERE id = 'b'")
	a.wantGeneration(1, "a", "b")
	execute(t, held, "COMMIT")
	execute(t, held, "BEGIN")
	execute(t, held, "SELECT 1 FROM processes WHERE id = 'b' FOR UPDATE")
	a.wantGeneration(1, "a")
	execute(t, held, "COMMIT")
	b.wantGeneration(2, "a", "b")
}

func TestAProcessLivesByItsHeartbeat(t *testing.T) {
	url, stores := cluster(t, 2)
	first := models.Member{ID: "a", URL: "http://10.0.0.1:3000", Version: "1.2.3", Secret: "5ec2e7"}
	a := &follower{t: t, s: stores[0], member: first}
	b := &follower{t: t, s: stores[1], member: models.Member{ID: "b"}}
	a.wantGeneration(1, "a")
	b.wantGeneration(1, "a", "b")
	a.member.Draining = true
	a.wantGeneration(1, "a", "b")
	storetest.Same(t, "what others know", []models.Member{a.member, b.member}, b.beat())

	age(t, url, "b", models.ProcessDeadAfter-time.Second)
	a.wantGeneration(1, "a", "b")
	b.wantGeneration(1, "a", "b")
	age(t, url, "b", models.ProcessDeadAfter+time.Second)
	a.wantGeneration(1, "a")
	b.wantGeneration(2, "a", "b") // it was only paused
	age(t, url, "b", models.ProcessDeadAfter+time.Second)
	b.wantGeneration(3, "a", "b") // nobody else has noticed
	storetest.SQL(t, url, "TRUNCATE processes CASCADE")
	b.wantGeneration(4, "b")
	a.wantGeneration(2, "a", "b")
	age(t, url, "a", -time.Hour) // the server's clock was set back
	a.wantGeneration(3, "a", "b")
	if err := stores[1].Leave(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	a.wantGeneration(3, "a")
}

// Whatever holds the lock of the moves, or makes them take long, is none of its business.
func TestAHeartbeatDoesNotDependOnWhatItRemoves(t *testing.T) {
	url, stores := cluster(t, 1)
	a := follow(t, stores[0], "a")
	held := connect(t, url)
	execute(t, held, "BEGIN")
	execute(t, held, "LOCK TABLE moved IN ACCESS EXCLUSIVE MODE")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, living, err := stores[0].Heartbeat(ctx, a.member)
	if err != nil || len(living) != 1 {
		t.Errorf("while the moves are locked: %v live, error %v", living, err)
	}
	execute(t, held, "ROLLBACK")
	a.wantGeneration(a.member.Generation, "a")
}

// Tables of running processes must be empty after a crash and on a promoted standby: only
// then a process finds out that something is missing.
func TestTablesOfProcessesAreUnlogged(t *testing.T) {
	_, stores := cluster(t, 1)
	for table, kind := range persistence(t, stores[0]) {
		if kind != "u" {
			t.Errorf("table %s is of persistence %q", table, kind)
		}
	}
}
