package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
	"expenseflow/models"
)

// add stores an expense and gives its id.
func add(s *store.Store, userID string) (string, error) {
	e := expense(userID)
	return e.ID, s.Write(context.Background(), userID, func(tx *store.Tx) error {
		tx.InsertExpense(e)
		tx.AppendChange(models.ExpenseCreated, e, models.Author{})
		return nil
	})
}

// After a failover the pool kept its connections to the old server, which only read:
// every write failed until the process was started again, and readiness said yes.
func TestWritesGoOnAfterTheServerWasReadOnly(t *testing.T) {
	server := testneed.NewPostgres(t)
	s := storetest.Open(t, store.Options{URL: server.URL})
	u := storetest.User(t, s)
	if err := s.Writable(t.Context()); err != nil {
		t.Fatal(err)
	}
	sql(t, server.URL, "ALTER DATABASE postgres SET default_transaction_read_only = on",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres' AND pid <> pg_backend_pid()")
	for range 40 { // so that every connection of the pool has met it
		if _, err := add(s, u.ID); models.KindOf(err) != models.Unavailable {
			t.Fatalf("a write to a server that only reads: %v", err)
		}
	}
	wantKind(t, "Writable", s.Writable(t.Context()), models.Unavailable)
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("reading: %v", err)
	}
	sql(t, server.URL, "SET default_transaction_read_only = off", "ALTER DATABASE postgres RESET default_transaction_read_only")
	await(t, "write", func() bool { _, err := add(s, u.ID); return err == nil })
	if err := s.Writable(t.Context()); err != nil {
		t.Errorf("Writable after a write: %v", err)
	}
	for range 40 {
		if _, err := add(s, u.ID); err != nil {
			t.Fatalf("a connection from before: %v", err)
		}
	}
}

// Nobody writes, so nobody has failed: readiness finds out by itself, and soon.
func TestReadinessFindsOutThatWritesFailWithoutAnyWrite(t *testing.T) {
	server := testneed.NewPostgres(t)
	s := storetest.Open(t, store.Options{URL: server.URL})
	sql(t, server.URL, "ALTER DATABASE postgres SET default_transaction_read_only = on",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres' AND pid <> pg_backend_pid()")
	await(t, "no", func() bool { return s.Writable(t.Context()) != nil })
	sql(t, server.URL, "SET default_transaction_read_only = off", "ALTER DATABASE postgres RESET default_transaction_read_only")
	await(t, "yes", func() bool { return s.Writable(t.Context()) == nil })
}

// promote is a store on a primary and a standby, whose primary then dies.
func promote(t *testing.T, synchronous, lossless bool) (s *store.Store, u models.User, acknowledged []string,
	epochs func() []string,
) {
	primary := testneed.NewPostgres(t)
	standby := primary.Standby(t, synchronous)
	began := make(chan string, 10)
	s = storetest.Open(t, store.Options{
		URL: testneed.SeveralHosts(primary, standby), WriteTimeout: 5 * time.Second, FailoverLossless: lossless,
		EpochChanged: func(epoch string) { began <- epoch },
	})
	u = storetest.User(t, s)
	for range 50 {
		id, err := add(s, u.ID)
		if err != nil {
			t.Fatal(err)
		}
		acknowledged = append(acknowledged, id)
	}
	if !synchronous {
		await(t, "standby that has all of it", func() bool { return standby.Has(t, "SELECT count(*) = 50 FROM expenses") })
		standby.Lag(t) // from here on it gets nothing
		for range 5 {
			if _, err := add(s, u.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	primary.Stop(t)
	wantKind(t, "Writable", s.Writable(waiting(t, 6*time.Second)), models.Unavailable)
	standby.Promote(t)
	await(t, "write after the promotion", func() bool { _, err := add(s, u.ID); return err == nil })
	return s, u, acknowledged, func() (all []string) {
		for len(began) > 0 {
			all = append(all, <-began)
		}
		return all
	}
}

func waiting(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	time.Sleep(d - time.Second) // what was written lately still speaks for the next ones
	return ctx
}

func TestAPromotedAsynchronousStandbyBeginsANewEpoch(t *testing.T) {
	s, u, kept, epochs := promote(t, false, false)
	wantAll(t, s, u.ID, kept)
	await(t, "epoch", func() bool { return len(epochs()) == 1 })
	wholeLog(t, s, u.ID)
	if head := must(s.Head(t.Context(), u.ID))(t); head < 51 || head > 55 {
		t.Errorf("head %d", head)
	}
	if err := s.Writable(t.Context()); err != nil {
		t.Errorf("Writable: %v", err)
	}
}

func TestAPromotedSynchronousStandbyHasLostNothing(t *testing.T) {
	s, u, kept, epochs := promote(t, true, true)
	wantAll(t, s, u.ID, kept)
	wholeLog(t, s, u.ID)
	same(t, "epochs begun", 0, len(epochs()))
}

func wantAll(t testing.TB, s *store.Store, userID string, ids []string) {
	t.Helper()
	for _, id := range ids {
		if _, err := s.ExpenseOf(t.Context(), userID, id); err != nil {
			t.Errorf("acknowledged expense %s: %v", id, err)
		}
	}
}

// A URL of several hosts that does not say which one to take led to whichever answered first,
// for ever.
func TestOfSeveralHostsTheOneThatTakesChangesIsUsed(t *testing.T) {
	primary := testneed.NewPostgres(t)
	standby := primary.Standby(t, false)
	url := strings.ReplaceAll(testneed.SeveralHosts(standby, primary), "&target_session_attrs=read-write", "")
	if strings.Contains(url, "target_session_attrs") {
		t.Fatal(url)
	}
	u := storetest.User(t, storetest.Open(t, store.Options{URL: primary.URL}))
	await(t, "standby that has the user", func() bool { return standby.Has(t, "SELECT count(*) = 1 FROM users") })
	must(add(storetest.Open(t, store.Options{URL: url}), u.ID))(t)
}

// A process that hangs in the middle of a transaction kept the locks of its users.
func TestTransactionsThatNobodyGoesOnWithAreEnded(t *testing.T) {
	o := storetest.PostgresOptions(t, storetest.PostgresDSN(t))
	o.WriteTimeout = 7 * time.Second
	s := storetest.Open(t, o)
	same(t, "bound", "7s", must(s.Setting(t.Context(), "idle_in_transaction_session_timeout"))(t))
}

// The connections that were open when a standby was promoted may lead to the primary of before,
// which some process or other still reaches.
func TestConnectionsFromBeforeAPromotionAreDiscarded(t *testing.T) {
	s := storetest.Open(t, storetest.PostgresOptions(t, storetest.PostgresDSN(t)))
	u := storetest.User(t, s)
	backends := func(meanwhile func()) (outer, inner int64) {
		err := s.Write(t.Context(), u.ID, func(tx *store.Tx) (err error) {
			if outer, err = tx.Backend(); err != nil {
				return err
			}
			meanwhile()
			inner, err = s.Backend(t.Context())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return outer, inner
	}
	s.KeepIdle(1)
	before, other := backends(func() {
		s.KeepIdle(10)
		s.ForgetTimeline() // so that the connection for inner is the first to the new server
	})
	outer, inner := backends(func() {})
	if before == other || before == outer || before == inner {
		t.Errorf("connection %d of before is used: %d, %d, %d", before, other, outer, inner)
	}
}
