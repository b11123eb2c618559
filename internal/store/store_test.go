package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
	"expenseflow/models"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if role := childRole(); role != nil {
		role()
		return
	}
	testneed.FewerChecksWithRace()
	goleak.VerifyTestMain(m)
}

// engines runs test on both engines with a fresh store.
func engines(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		test(t, storetest.Open(t, options(t)))
	})
}

func expense(userID string) models.Expense {
	at := models.Millis(time.Now())
	return models.Expense{
		ID: storetest.ID(), UserID: userID, Description: "Mittagessen 🍜 \"quoted\" \\ \u2028 it's", Amount: 12_345_000,
		Category: "food", Type: "expense", Date: at, Day: models.DayOf(at, time.UTC), Currency: "EUR", Version: 1, Tags: "Büro\nit's ☕",
		LastSyncedAt: at, CreatedAt: at, UpdatedAt: at,
	}
}

func operation(tx *store.Tx, key, resource string, e *models.Expense) models.QueuedOperation {
	at := int64(1_700_000_000_123)
	return models.QueuedOperation{
		ID: storetest.ID(), UserID: tx.User().ID, Key: key, State: models.Applied,
		Operation: models.Operation{
			Action: models.Create, ResourceType: "expense", ResourceID: resource, DeviceID: "device_abc123xyz",
			Data:      json.RawMessage(`{"description":"Lunch","amount":12.5,"category":"food","type":"expense"}`),
			Timestamp: &at,
		},
		Result:    models.Result{ResourceID: resource, Status: models.StatusCreated, Expense: e},
		CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
	}
}

// The helpers of storetest, as the many tests of this package call them.
var (
	write    = storetest.Write
	sql      = storetest.SQL
	same     = storetest.Same
	wantKind = storetest.WantKind
)

func must[T any](v T, err error) func(testing.TB) T { return storetest.Must(v, err) }

func TestWriteIsSeenByReaders(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		e := expense(u.ID)
		by := models.Author{DeviceID: "phone\x00\\\xff", TokenID: "jti"}
		write(t, s, u.ID, func(tx *store.Tx) {
			tx.InsertExpense(e)
			tx.AppendChange(models.ExpenseCreated, e, by)
		})
		same(t, "expense", e, must(s.ExpenseOf(t.Context(), u.ID, e.ID))(t))
		changes := must(s.Changes(t.Context(), u.ID, 0, 10))(t)
		if len(changes) != 1 {
			t.Fatalf("changes: %v", changes)
		}
		want := models.Change{
			UserID: u.ID, Seq: 1, Kind: models.ExpenseCreated, EntityID: e.ID, Expense: e, Author: by, ActorID: u.ID,
			At: changes[0].At,
		}
		same(t, "change", want, changes[0])
		same(t, "head", int64(1), must(s.Head(t.Context(), u.ID))(t))
		same(t, "heads", map[string]int64{u.ID: 1}, must(s.Heads(t.Context(), []string{u.ID, storetest.ID()}))(t))
	})
}

func TestWriteReadsItsOwnWrites(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		old := expense(u.ID)
		write(t, s, u.ID, func(tx *store.Tx) { tx.InsertExpense(old) })
		write(t, s, u.ID, func(tx *store.Tx) {
			e := must(tx.Expense(old.ID))(t)
			e.Description, e.Version = "changed", 2
			tx.UpdateExpense(e)
			same(t, "after update", e, must(tx.Expense(old.ID))(t))
			must(0, tx.DeleteExpense(e))(t)
			if _, err := tx.Expense(old.ID); models.KindOf(err) != models.NotFound {
				t.Errorf("after delete: %v", err)
			}
			fresh := expense(u.ID)
			tx.InsertExpense(fresh)
			same(t, "after insert", fresh, must(tx.Expense(fresh.ID))(t))
			must(0, tx.DeleteExpense(fresh))(t)
		})
		if list, total, err := s.Expenses(t.Context(), u.ID, 1, 10); err != nil || total != 0 || len(list) != 0 {
			t.Errorf("left: %v, %d, %v", list, total, err)
		}
	})
}

func TestAnotherUsersExpenseIsNotFound(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		alice, bob := storetest.User(t, s), storetest.User(t, s)
		e := expense(alice.ID)
		write(t, s, alice.ID, func(tx *store.Tx) { tx.InsertExpense(e) })
		for _, id := range []string{e.ID, storetest.ID(), "temp_1", "", "\x00", strings.Repeat("a", 10_000)} {
			_, err := s.ExpenseOf(t.Context(), bob.ID, id)
			wantKind(t, "ExpenseOf", err, models.NotFound)
			write(t, s, bob.ID, func(tx *store.Tx) {
				_, err := tx.Expense(id)
				wantKind(t, "Tx.Expense", err, models.NotFound)
			})
		}
	})
}

func TestWriteForAMissingUserIsNotFound(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		for _, id := range []string{storetest.ID(), "", "\x00"} {
			err := s.Write(t.Context(), id, func(*store.Tx) error { t.Error("runs without a user"); return nil })
			wantKind(t, "Write", err, models.NotFound)
		}
	})
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		mine := errors.New("mine")
		fill := func(tx *store.Tx) {
			e := expense(u.ID)
			tx.InsertExpense(e)
			tx.AppendChange(models.ExpenseCreated, e, models.Author{})
			tx.InsertOperation(operation(tx, "k", "temp_1", &e))
		}
		err := s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
			fill(tx)
			return tx.Attempt(func() error { fill(tx); return mine })
		})
		if !errors.Is(err, mine) {
			t.Fatalf("Write: %v", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = s.Write(t.Context(), u.ID, func(tx *store.Tx) error { fill(tx); panic("in the rules") })
		}()
		same(t, "head", int64(0), must(s.Head(t.Context(), u.ID))(t))
		write(t, s, u.ID, func(tx *store.Tx) { // and the store still works
			if _, found, err := tx.OperationByKey("k"); found || err != nil {
				t.Errorf("operation of a failed write: %v, %v", found, err)
			}
		})
	})
}

func TestNowGrowsStrictlyAlthoughTheClockDoesNot(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		clock := models.Millis(time.Now())
		o.Now = func() time.Time { return clock }
		s := storetest.Open(t, o)
		u := storetest.User(t, s)
		var last time.Time
		for i := range 5 {
			if i == 3 {
				clock = clock.Add(-time.Hour)
			}
			write(t, s, u.ID, func(tx *store.Tx) {
				if !tx.Now().After(last) {
					t.Errorf("%v after %v", tx.Now(), last)
				}
				last = tx.Now()
				tx.InsertExpense(expense(u.ID))
			})
			same(t, "LastSynced", last, must(s.LastSynced(t.Context(), u.ID))(t))
		}
	})
}

func TestOperationsAreFoundByKeyAndParkedOnesListed(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u, stranger := storetest.User(t, s), storetest.User(t, s)
		if last, pending, err := s.SyncStatus(t.Context(), u.ID); last != nil || pending != 0 || err != nil {
			t.Fatalf("at first: %v, %d, %v", last, pending, err)
		}
		var applied, parked models.QueuedOperation
		write(t, s, u.ID, func(tx *store.Tx) {
			e := expense(u.ID)
			applied = operation(tx, "key1", "temp_1", &e)
			tx.InsertOperation(applied)
			got, found, err := tx.OperationByKey("key1")
			same(t, "unflushed", applied, got)
			if !found || err != nil {
				t.Errorf("unflushed: %v, %v", found, err)
			}
		})
		write(t, s, u.ID, func(tx *store.Tx) {
			parked = operation(tx, "", "temp\x00", nil)
			parked.State, parked.Timestamp, parked.Data = models.Parked, nil, nil
			parked.Result = models.Result{
				ResourceID: "temp\x00", Status: models.StatusParked, Error: "bad \x00 value",
				Current: &models.Expense{ID: "x", Date: tx.Now(), CreatedAt: tx.Now(), UpdatedAt: tx.Now(), LastSyncedAt: tx.Now()},
			}
			tx.InsertOperation(parked)
			another := parked
			another.ID = storetest.ID()
			tx.InsertOperation(another)
		})
		write(t, s, u.ID, func(tx *store.Tx) {
			got, _, err := tx.OperationByKey("key1")
			same(t, "stored", applied, got)
			same(t, "by id", parked, must(tx.Operation(parked.ID))(t))
			_, found, emptyErr := tx.OperationByKey("")
			if found || err != nil || emptyErr != nil {
				t.Errorf("an operation without a key was found: %v, %v, %v", found, err, emptyErr)
			}
		})
		notFoundByOthers(t, s, stranger.ID, applied.ID)
		list, _, _ := s.ParkedPage(t.Context(), u.ID, models.ParkedPlace{}, 10, 1<<20)
		if len(list) != 2 {
			t.Fatalf("parked: %v", list)
		}
		same(t, "parked", parked, list[0])
		last, pending, err := s.SyncStatus(t.Context(), u.ID)
		if err != nil || pending != 2 || last == nil || !last.Equal(applied.CreatedAt) {
			t.Errorf("status: %v, %d, %v", last, pending, err)
		}
		write(t, s, u.ID, func(tx *store.Tx) {
			op := must(tx.Operation(parked.ID))(t)
			op.State, op.UpdatedAt = models.Discarded, tx.Now()
			tx.UpdateOperation(op)
		})
		if _, pending, _ := s.SyncStatus(t.Context(), u.ID); pending != 1 {
			t.Errorf("%d pending after one was discarded", pending)
		}
	})
}

// notFoundByOthers checks that a user finds neither the key nor the id of somebody
// else's operation.
func notFoundByOthers(t *testing.T, s *store.Store, userID, id string) {
	t.Helper()
	write(t, s, userID, func(tx *store.Tx) {
		_, found, _ := tx.OperationByKey("key1")
		_, err := tx.Operation(id)
		if found || models.KindOf(err) != models.NotFound {
			t.Errorf("another user finds %v, %v", found, err)
		}
	})
}

func TestOneKeyIsStoredOnce(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u, other := storetest.User(t, s), storetest.User(t, s)
		insert := func(userID string) error {
			return s.Write(t.Context(), userID, func(tx *store.Tx) error {
				tx.InsertOperation(operation(tx, "key", "temp_1", nil))
				return nil
			})
		}
		if err := errors.Join(insert(u.ID), insert(other.ID)); err != nil {
			t.Fatal(err)
		}
		var data *store.DataError
		if err := insert(u.ID); !errors.As(err, &data) {
			t.Errorf("the same key twice: %v", err)
		}
	})
}

func TestAliases(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u, stranger := storetest.User(t, s), storetest.User(t, s)
		resolve := func(userID, device, temp string) string {
			t.Helper()
			id, _, err := s.ResolveAlias(t.Context(), userID, device, temp)
			if err != nil {
				t.Fatalf("ResolveAlias: %v", err)
			}
			inside := ""
			write(t, s, userID, func(tx *store.Tx) {
				if err := tx.Preload(store.Preload{Aliases: []store.AliasKey{{DeviceID: device, TempID: temp}}}); err != nil {
					t.Fatal(err)
				}
				inside, _, err = tx.Alias(device, temp)
			})
			if err != nil || inside != id {
				t.Errorf("inside a transaction %q, outside %q, %v", inside, id, err)
			}
			return id
		}
		write(t, s, u.ID, func(tx *store.Tx) { tx.SetAlias("phone", "temp_1", "a"); tx.SetAlias("phone", "temp\x00", "n") })
		write(t, s, u.ID, func(tx *store.Tx) {
			tx.SetAlias("tablet", "temp_1", "b")
			if id, _, _ := tx.Alias("", "temp_1"); id != "b" {
				t.Errorf("unflushed, any device: %q", id)
			}
		})
		got := []string{
			resolve(u.ID, "phone", "temp_1"), resolve(u.ID, "tablet", "temp_1"), resolve(u.ID, "", "temp_1"),
			resolve(u.ID, "laptop", "temp_1"), resolve(u.ID, "phone", "temp\x00"), resolve(u.ID, "phone", ""),
			resolve(stranger.ID, "phone", "temp_1"), resolve(stranger.ID, "", "temp_1"),
		}
		same(t, "resolved", []string{"a", "b", "b", "", "n", "", "", ""}, got)
		write(t, s, u.ID, func(tx *store.Tx) { tx.SetAlias("phone", "temp_1", "c") })
		same(t, "the later of one name", []string{"c", "c"}, []string{resolve(u.ID, "phone", "temp_1"), resolve(u.ID, "", "temp_1")})
	})
}

func TestDeviceHistory(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		alice, bob := storetest.User(t, s), storetest.User(t, s)
		phone := models.Author{DeviceID: "phone", Browser: "b"}
		var first, last time.Time
		write(t, s, alice.ID, func(tx *store.Tx) { tx.TouchDevice(phone); tx.TouchDevice(models.Author{}); first = tx.Now() })
		write(t, s, alice.ID, func(tx *store.Tx) { tx.TouchDevice(phone); last = tx.Now() })
		write(t, s, bob.ID, func(tx *store.Tx) {
			tx.TouchDevice(phone)
			same(t, "alice's phone", store.DeviceHistory{LastOther: last}, must(tx.DeviceHistory("phone"))(t))
			same(t, "a new phone", store.DeviceHistory{}, must(tx.DeviceHistory("new"))(t))
			same(t, "alice's browser", store.DeviceHistory{LastOther: last}, must(tx.BrowserHistory("b"))(t))
			same(t, "what calls itself like a browser", store.DeviceHistory{}, must(tx.DeviceHistory(`\browser b`))(t))
			same(t, "no device", store.DeviceHistory{}, must(tx.DeviceHistory(""))(t))
		})
		write(t, s, alice.ID, func(tx *store.Tx) {
			h := must(tx.DeviceHistory("phone"))(t)
			same(t, "her own", store.DeviceHistory{FirstOwn: first, LastOwn: last, LastOther: h.LastOther}, h)
			same(t, "bob's visit", false, h.LastOther.IsZero())
		})
	})
}

func TestAPostIsClaimedOnce(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u, stranger := storetest.User(t, s), storetest.User(t, s)
		at := models.Millis(time.Now())
		first, second := storetest.ID(), storetest.ID()
		write(t, s, u.ID, func(tx *store.Tx) {
			tx.RecordPost(store.Post{ExpenseID: second, DeviceID: "phone", DataHash: "h", At: at.Add(time.Second)})
			tx.RecordPost(store.Post{ExpenseID: first, DeviceID: "phone", DataHash: "h", At: at})
		})
		claim := func(userID, device, hash string, from, to time.Time) (id string) {
			write(t, s, userID, func(tx *store.Tx) { id, _, _ = tx.ClaimPost(device, hash, from, to) })
			return id
		}
		late := at.Add(time.Minute)
		for _, nothing := range []string{
			claim(stranger.ID, "phone", "h", at, late), claim(u.ID, "tablet", "h", at, late),
			claim(u.ID, "phone", "other", at, late), claim(u.ID, "phone", "h", at.Add(2*time.Second), late),
			claim(u.ID, "phone", "h", at.Add(-late.Sub(at)), at.Add(-time.Millisecond)),
		} {
			same(t, "claimed", "", nothing)
		}
		err := s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
			_, _, _ = tx.ClaimPost("phone", "h", at, late)
			return errors.New("undone")
		})
		if err == nil {
			t.Fatal("no error")
		}
		got := []string{claim(u.ID, "phone", "h", at, at), claim(u.ID, "phone", "h", at, late), claim(u.ID, "phone", "h", at, late)}
		same(t, "claims in order", []string{first, second, ""}, got)
	})
}

func TestAccounts(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s, "alice@example.org")
		same(t, "by id", u, must(s.UserByID(t.Context(), u.ID))(t))
		same(t, "by email", u, must(s.UserByEmail(t.Context(), "alice@example.org"))(t))
		for _, odd := range []string{"", "bob@example.org", "\x00", "\xff"} {
			_, err := s.UserByEmail(t.Context(), odd)
			wantKind(t, "by unknown email", err, models.NotFound)
			_, err = s.UserByID(t.Context(), odd)
			wantKind(t, "by unknown id", err, models.NotFound)
		}
		twin := models.User{ID: storetest.ID(), Name: "x", Email: u.Email, PasswordHash: []byte{1}, CreatedAt: u.CreatedAt}
		wantKind(t, "the same address", s.CreateUser(t.Context(), twin), models.Conflict)
		twin.Email = "nul\x00@example.org"
		wantKind(t, "NUL in an address", s.CreateUser(t.Context(), twin), models.Invalid)

		if err := s.SetPassword(t.Context(), u.ID, []byte("\x00new")); err != nil {
			t.Fatal(err)
		}
		got := must(s.UserByID(t.Context(), u.ID))(t)
		same(t, "generation", int64(1), got.TokenGeneration)
		same(t, "hash", []byte("\x00new"), got.PasswordHash)
		wantKind(t, "password of nobody", s.SetPassword(t.Context(), storetest.ID(), []byte{1}), models.NotFound)
	})
}

func TestDeleteUserTakesEverything(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u, other := storetest.User(t, s), storetest.User(t, s)
		for _, id := range []string{u.ID, other.ID} {
			write(t, s, id, func(tx *store.Tx) {
				e := expense(id)
				tx.InsertExpense(e)
				tx.AppendChange(models.ExpenseCreated, e, models.Author{})
				tx.InsertOperation(operation(tx, "k", "temp_1", &e))
				tx.SetAlias("phone", "temp_1", e.ID)
				tx.TouchDevice(models.Author{DeviceID: "phone"})
				tx.RecordPost(store.Post{ExpenseID: e.ID, DeviceID: "phone", DataHash: "h", At: tx.Now()})
			})
			if err := s.RevokeToken(t.Context(), "token of "+id, id, time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			seen := models.DeviceToken{UserID: id, DeviceID: "phone", Key: "key", ExpiresAt: time.Now().Add(time.Hour)}
			if err := s.SeeDevices(t.Context(), []models.DeviceToken{seen}); err != nil {
				t.Fatal(err)
			}
			if err := s.KeepRooms(t.Context(), id, "session of "+id, []string{"room"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.DeleteUser(t.Context(), u.ID); err != nil {
			t.Fatal(err)
		}
		wantKind(t, "twice", s.DeleteUser(t.Context(), u.ID), models.NotFound)
		_, err := s.Head(t.Context(), u.ID)
		wantKind(t, "head", err, models.NotFound)
		wantKind(t, "revoke", s.RevokeToken(t.Context(), "late", u.ID, time.Now()), models.NotFound)
		for table, rows := range map[string]int64{
			"expenses": 1, "changes": 2, "operations": 1, "aliases": 1, "devices": 1, "posted_creates": 1, "revoked_tokens": 1,
			"user_devices": 1, "kept_rooms": 1,
		} {
			same(t, "rows in "+table, rows, must(s.Count(t.Context(), table))(t))
		}
	})
}

// No table that names users keeps a row of one who is removed: not even a table that is
// added later.
func TestNoTableKeepsARowOfAUserWhoIsRemoved(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		ctx, u, other := t.Context(), storetest.User(t, s), storetest.User(t, s)
		tables := must(s.TablesOfUsers(ctx))(t)
		if len(tables) < 15 {
			t.Errorf("only %d tables: %v", len(tables), tables)
		}
		e := expense(u.ID)
		write(t, s, u.ID, func(tx *store.Tx) {
			tx.InsertExpense(e)
			tx.AppendChange(models.ExpenseCreated, e, models.Author{})
		})
		for _, pair := range [][2]string{{u.ID, other.ID}, {other.ID, u.ID}} {
			if err := s.Write(ctx, pair[0], func(tx *store.Tx) error {
				return tx.SetContact(pair[1], models.ContactBlocked)
			}); err != nil {
				t.Fatal(err)
			}
		}
		err := s.Write(ctx, u.ID, func(tx *store.Tx) error {
			return tx.InsertInvitation(models.Invitation{
				ID: storetest.ID(), ExpenseID: e.ID, Email: other.Email, Role: models.RoleViewer,
				CreatedAt: tx.Now(),
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteUser(ctx, u.ID); err != nil {
			t.Fatal(err)
		}
		late := models.DeviceToken{UserID: u.ID, Key: "key", ExpiresAt: time.Now().Add(time.Hour)}
		if err := s.SeeDevices(ctx, []models.DeviceToken{late}); err != nil { // noted a moment too late
			t.Fatal(err)
		}
		for table, columns := range tables {
			for _, column := range columns {
				same(t, table+"."+column, int64(0), must(s.CountWhere(ctx, table, column, u.ID))(t))
			}
		}
	})
}

func TestRevokedTokens(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		for range 2 {
			if err := s.RevokeToken(t.Context(), "jti", u.ID, time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		for key, want := range map[string]bool{"jti": true, "other": false, "": false, "\x00": false} {
			same(t, fmt.Sprintf("%q revoked", key), want, must(s.TokenRevoked(t.Context(), key))(t))
		}
	})
}

func TestTheEpochStaysUntilItIsRenewed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		s := storetest.Open(t, o)
		first := must(s.Epoch(t.Context()))(t)
		if len(first) != 16 {
			t.Errorf("epoch %q", first)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = storetest.Open(t, o)
		same(t, "epoch after a restart", first, must(s.Epoch(t.Context()))(t))
		second := must(s.NewEpoch(t.Context()))(t)
		if second == first {
			t.Error("the new epoch is the old one")
		}
		same(t, "epoch after a restore", second, must(s.Epoch(t.Context()))(t))
	})
}

func TestNULIsADataErrorOnBothEngines(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		for _, bad := range []string{"a\x00b", "\xff\xfe"} {
			e := expense(u.ID)
			e.Description = bad
			good := expense(u.ID)
			err := s.Write(t.Context(), u.ID, func(tx *store.Tx) error { tx.InsertExpense(e); return nil })
			var data *store.DataError
			if !errors.As(err, &data) || models.KindOf(err) != models.Invalid {
				t.Errorf("Write of %q: %v", bad, err)
			}
			write(t, s, u.ID, func(tx *store.Tx) {
				err := tx.Attempt(func() error { tx.InsertExpense(e); return nil })
				if !errors.As(err, &data) {
					t.Errorf("Attempt of %q: %v", bad, err)
				}
				tx.InsertExpense(good)
			})
			same(t, "the good one", good, must(s.ExpenseOf(t.Context(), u.ID, good.ID))(t))
			if _, err := s.ExpenseOf(t.Context(), u.ID, e.ID); models.KindOf(err) != models.NotFound {
				t.Errorf("the bad one: %v", err)
			}
		}
	})
}

// TestADataErrorOfTheDatabaseItselfIsSurvived meets the engine's own refusal,
// after which PostgreSQL takes no statement until the savepoint.
func TestADataErrorOfTheDatabaseItselfIsSurvived(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		e := expense(u.ID)
		write(t, s, u.ID, func(tx *store.Tx) {
			tx.InsertExpense(e)
			tx.AppendChange(models.ExpenseCreated, e, models.Author{})
			err := tx.Attempt(func() error {
				tx.AppendChange(models.ExpenseUpdated, e, models.Author{})
				tx.InsertExpense(e) // it overlays; the twin below does not
				return tx.Exec("INSERT INTO users (id, name, email, password_hash, created_at) VALUES (?, '', '', '', 0)", u.ID)
			})
			var data *store.DataError
			if !errors.As(err, &data) {
				t.Errorf("Attempt: %v", err)
			}
			tx.AppendChange(models.ExpenseDeleted, e, models.Author{})
		})
		var kinds []models.ChangeKind
		for _, c := range must(s.Changes(t.Context(), u.ID, 0, 10))(t) {
			kinds = append(kinds, c.Kind)
		}
		same(t, "log", []models.ChangeKind{models.ExpenseCreated, models.ExpenseDeleted}, kinds)
	})
}

// TestAFailureThatWasOverlookedDoesNotCommit: rules that drop an error do not
// get half of a transaction stored.
func TestAFailureThatWasOverlookedDoesNotCommit(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		err := s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
			e := expense(u.ID)
			tx.InsertExpense(e)
			_ = tx.Exec("INSERT INTO users (id, name, email, password_hash, created_at) VALUES (?, '', '', '', 0)", u.ID)
			return nil
		})
		wantKind(t, "Write", err, models.Invalid)
		if _, total, _ := s.Expenses(t.Context(), u.ID, 1, 1); total != 0 {
			t.Error("half of it is stored")
		}
	})
}

func TestListsAreNewestFirst(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
		var want []string
		write(t, s, u.ID, func(tx *store.Tx) {
			for i := range 7 {
				e := expense(u.ID)
				e.Date = day.Add(time.Duration(i/2) * 24 * time.Hour) // pairs share a date
				tx.InsertExpense(e)
				want = append([]string{e.ID}, want...)
			}
			first := expense(u.ID)
			first.Date = time.Date(1, 1, 1, 0, 0, 0, 1_000_000, time.UTC)
			tx.InsertExpense(first)
			want = append(want, first.ID)
		})
		var all []string
		err := s.EachExpense(t.Context(), u.ID, func(e models.Expense) error { all = append(all, e.ID); return nil })
		if err != nil {
			t.Fatal(err)
		}
		same(t, "EachExpense", want, all)
		var pages []string
		for page := 1; page <= 4; page++ {
			list, total, err := s.Expenses(t.Context(), u.ID, page, 3)
			if err != nil || total != 8 {
				t.Fatalf("page %d: total %d, %v", page, total, err)
			}
			for _, e := range list {
				pages = append(pages, e.ID)
			}
		}
		same(t, "pages", want, pages)
		for _, page := range []int{0, -1, 1 << 62} {
			if list, total, err := s.Expenses(t.Context(), u.ID, page, 3); err != nil || total != 8 || len(list) != 0 {
				t.Errorf("page %d: %v, %d, %v", page, list, total, err)
			}
		}
	})
}

func TestPullGivesWhatWasStoredAfterTheCursor(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		var ids []string
		save := func() {
			write(t, s, u.ID, func(tx *store.Tx) {
				e := expense(u.ID)
				e.LastSyncedAt = tx.Now()
				tx.InsertExpense(e)
				ids = append(ids, e.ID)
			})
		}
		save()
		cursor := must(s.LastSynced(t.Context(), u.ID))(t)
		save()
		save()
		var got []string
		err := s.ExpensesSyncedAfter(t.Context(), u.ID, cursor, func(e models.Expense) error { got = append(got, e.ID); return nil })
		if err != nil {
			t.Fatal(err)
		}
		same(t, "after the cursor", ids[1:], got)
	})
}

func TestPrune(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		start := models.Millis(time.Now())
		clock := start.Add(-100 * 24 * time.Hour)
		o.Now = func() time.Time { return clock }
		s := storetest.Open(t, o)
		u := storetest.User(t, s)
		save := func(key string, state models.OperationState) {
			write(t, s, u.ID, func(tx *store.Tx) {
				e := expense(u.ID)
				tx.InsertExpense(e)
				tx.AppendChange(models.ExpenseCreated, e, models.Author{})
				op := operation(tx, key, "temp_"+key, &e)
				op.State = state
				tx.InsertOperation(op)
				tx.SetAlias("phone", "temp_"+key, e.ID)
				tx.RecordPost(store.Post{ExpenseID: e.ID, DeviceID: "phone", DataHash: key, At: tx.Now()})
			})
			if err := s.RevokeToken(t.Context(), key, u.ID, clock.Add(24*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		save("1", models.Applied)
		save("2", models.Discarded)
		save("3", models.Parked)
		clock = start
		save("4", models.Applied)

		before := start.Add(-90 * 24 * time.Hour)
		same(t, "changes, with a limit", int64(1), must(s.PruneLogs(t.Context(), before, 1))(t))
		same(t, "the rest, with a limit", int64(4), must(s.Prune(t.Context(), before, 1))(t))
		_, err := s.Changes(t.Context(), u.ID, 0, 10)
		if !errors.Is(err, store.ErrLogPruned) {
			t.Errorf("changes from before the log's start: %v", err)
		}
		for n := int64(1); n > 0; {
			n = must(s.PruneLogs(t.Context(), before, 2))(t) + must(s.Prune(t.Context(), before, 2))(t)
		}
		rows := map[string]int64{}
		for _, table := range []string{"expenses", "changes", "operations", "aliases", "posted_creates", "revoked_tokens"} {
			rows[table] = must(s.Count(t.Context(), table))(t)
		}
		same(t, "left", map[string]int64{
			"expenses": 4, "changes": 2, "operations": 1, "aliases": 1, "posted_creates": 1, "revoked_tokens": 1,
		}, rows)
		changes := must(s.Changes(t.Context(), u.ID, 6, 10))(t) // each save is two: an expense, and a token that is refused
		if len(changes) != 2 || changes[0].Seq != 7 {
			t.Errorf("the rest of the log: %v", changes)
		}
		save("5", models.Applied)
		same(t, "head after a prune", int64(10), must(s.Head(t.Context(), u.ID))(t))
	})
}
