package ledger_test

import (
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
	"expenseflow/models"
)

func TestMain(m *testing.M) {
	testneed.FewerChecksWithRace()
	os.Exit(m.Run())
}

func lunch() models.Draft {
	return models.Draft{Description: " Lunch ", Amount: 12_500_000, Category: "food", Type: "expense"}
}

func ptr[T any](v T) *T { return &v }

// A fixture is a ledger on a database of its own with one user.
type fixture struct {
	*ledger.Ledger
	t     *testing.T
	store *store.Store
	user  models.User
	woken atomic.Int64
}

// each runs a test on both engines.
func each(t *testing.T, test func(h *fixture)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		h := &fixture{t: t, store: s, user: storetest.User(t, s)}
		h.Ledger = ledger.New(s, func(string) { h.woken.Add(1) }, ledger.Options{})
		test(h)
	})
}

func (h *fixture) create(c ledger.ExpenseCreation) models.Expense {
	h.t.Helper()
	e, err := h.CreateExpense(h.t.Context(), h.user.ID, c)
	if err != nil {
		h.t.Fatalf("create: %v", err)
	}
	return e
}

func (h *fixture) log() []models.Change {
	h.t.Helper()
	changes, err := h.store.Changes(h.t.Context(), h.user.ID, 0, 1000)
	if err != nil {
		h.t.Fatalf("changes: %v", err)
	}
	return changes
}

func (h *fixture) stored(id string) models.Expense {
	h.t.Helper()
	e, err := h.store.ExpenseOf(h.t.Context(), h.user.ID, id)
	if err != nil {
		h.t.Fatalf("expense: %v", err)
	}
	return e
}

func TestEveryChangeIsStoredAndLoggedOnce(t *testing.T) {
	each(t, func(h *fixture) {
		ctx, by := h.t.Context(), models.Author{DeviceID: "device_1", TokenID: "jti"}
		made := h.create(ledger.ExpenseCreation{Draft: lunch(), Author: by})
		if made.Description != "Lunch" || made.Version != 1 || !made.Date.Equal(made.CreatedAt) || !models.IsID(made.ID) {
			h.t.Errorf("made %+v", made)
		}
		if diff := cmp.Diff(made, h.stored(made.ID)); diff != "" {
			h.t.Errorf("stored (-made +stored):\n%s", diff)
		}
		edited, err := h.UpdateExpense(ctx, h.user.ID, made.ID, nil, models.Patch{Amount: ptr(models.Money(7_000_000))}, by)
		if err != nil || edited.Amount.String() != "7" || edited.Version != 2 || edited.Description != "Lunch" ||
			!edited.CreatedAt.Equal(made.CreatedAt) {
			h.t.Errorf("edited %+v, %v", edited, err)
		}
		gone, err := h.DeleteExpense(ctx, h.user.ID, made.ID, by)
		if diff := cmp.Diff(edited, gone); err != nil || diff != "" {
			h.t.Errorf("%v, deleted (-edited +deleted):\n%s", err, diff)
		}
		h.checkLog(made.ID, by, models.ExpenseCreated, models.ExpenseUpdated, models.ExpenseDeleted)
		if h.woken.Load() != 3 {
			h.t.Errorf("the tail was woken %d times", h.woken.Load())
		}
	})
}

func (h *fixture) checkLog(id string, by models.Author, kinds ...models.ChangeKind) {
	h.t.Helper()
	log := h.log()
	if len(log) != len(kinds) {
		h.t.Fatalf("the log has %d changes, want %d", len(log), len(kinds))
	}
	for i, c := range log {
		if c.Seq != int64(i+1) || c.Kind != kinds[i] || c.EntityID != id || c.Author != by {
			h.t.Errorf("change %d is %+v", i, c)
		}
	}
}

func TestARefusedChangeLeavesNoTrace(t *testing.T) {
	each(t, func(h *fixture) {
		ctx := h.t.Context()
		e := h.create(ledger.ExpenseCreation{Draft: lunch()})
		h.woken.Store(0)
		_, err := h.CreateExpense(ctx, h.user.ID, ledger.ExpenseCreation{Draft: models.Draft{Amount: 1}})
		h.checkKind("create", err, models.Invalid)
		_, err = h.UpdateExpense(ctx, h.user.ID, e.ID, nil, models.Patch{Type: ptr("loan")}, models.Author{})
		h.checkKind("update", err, models.Invalid)
		_, err = h.DeleteExpense(ctx, h.user.ID, storetest.ID(), models.Author{})
		h.checkKind("delete", err, models.NotFound)
		if len(h.log()) != 1 || h.woken.Load() != 0 {
			h.t.Errorf("%d changes, woken %d times", len(h.log()), h.woken.Load())
		}
	})
}

func (h *fixture) checkKind(what string, err error, want models.Kind) {
	h.t.Helper()
	if err == nil || models.KindOf(err) != want {
		h.t.Errorf("%s: got %v, want kind %d", what, err, want)
	}
}

// The errors of unknown ids and other users' ids are the same (docs/contract.md#status-codes).
func TestOthersExpensesLookAbsent(t *testing.T) {
	each(t, func(h *fixture) {
		e := h.create(ledger.ExpenseCreation{Draft: lunch(), Author: models.Author{DeviceID: "device_1"}})
		mallory := storetest.User(h.t, h.store).ID
		var messages []string
		for _, id := range []string{e.ID, storetest.ID(), "temp_1", "", "x'; --", "\x00"} {
			_, err := h.UpdateExpense(h.t.Context(), mallory, id, ptr(int64(0)), models.Patch{}, models.Author{})
			h.checkKind("update "+id, err, models.NotFound)
			_, err2 := h.DeleteExpense(h.t.Context(), mallory, id, models.Author{})
			h.checkKind("delete "+id, err2, models.NotFound)
			messages = append(messages, models.Message(err), models.Message(err2))
		}
		for _, m := range messages {
			if m != "Expense not found" {
				h.t.Errorf("somebody else read %q", m)
			}
		}
		if h.stored(e.ID).Version != 1 {
			h.t.Error("the expense was touched")
		}
	})
}

func TestDecision8AnOlderVersionConflicts(t *testing.T) {
	each(t, func(h *fixture) {
		e := h.create(ledger.ExpenseCreation{Draft: lunch()})
		edit := func(seen *int64) (models.Expense, error) {
			return h.UpdateExpense(h.t.Context(), h.user.ID, e.ID, seen, models.Patch{Notes: ptr("n")}, models.Author{})
		}
		if got, err := edit(ptr(int64(1))); err != nil || got.Version != 2 {
			h.t.Errorf("the version that is stored: %v, %v", got.Version, err)
		}
		_, err := edit(ptr(int64(1)))
		var conflict *models.ConflictError
		if !errors.As(err, &conflict) || models.KindOf(err) != models.Conflict {
			h.t.Fatalf("an older version: %v", err)
		}
		if diff := cmp.Diff(h.stored(e.ID), conflict.Stored); diff != "" {
			h.t.Errorf("conflict (-stored +told):\n%s", diff)
		}
		if got, err := edit(nil); err != nil || got.Version != 3 {
			h.t.Errorf("no version: %v, %v", got.Version, err)
		}
		if got, err := edit(ptr(int64(999999))); err != nil || got.Version != 4 {
			h.t.Errorf("a version from the future: %v, %v", got.Version, err)
		}
	})
}

func TestD14TemporaryIDsWorkLikeIDs(t *testing.T) {
	each(t, func(h *fixture) {
		ctx := h.t.Context()
		e := h.create(ledger.ExpenseCreation{Draft: lunch()})
		err := h.Write(ctx, h.user.ID, func(w *ledger.Work) error {
			w.Tx.SetAlias("device_1", "temp_1", e.ID)
			return nil
		})
		if err != nil {
			h.t.Fatal(err)
		}
		_, err = h.UpdateExpense(ctx, h.user.ID, "temp_1", nil, models.Patch{}, models.Author{DeviceID: "device_2"})
		h.checkKind("another device", err, models.NotFound)
		got, err := h.UpdateExpense(ctx, h.user.ID, "temp_1", nil, models.Patch{}, models.Author{DeviceID: "device_1"})
		if err != nil || got.ID != e.ID {
			h.t.Errorf("its device: %s, %v", got.ID, err)
		}
		if got, err = h.DeleteExpense(ctx, h.user.ID, "temp_1", models.Author{}); err != nil || got.ID != e.ID {
			h.t.Errorf("an unnamed device: %s, %v", got.ID, err)
		}
		if last := h.log()[2]; last.EntityID != e.ID {
			h.t.Errorf("the event names %s", last.EntityID)
		}
	})
}

func TestAClientsOwnNameMakesARepetitionHarmless(t *testing.T) {
	each(t, func(h *fixture) {
		c := ledger.ExpenseCreation{Draft: lunch(), Author: models.Author{DeviceID: "device_1"}, ClientID: "c1"}
		first := h.create(c)
		if diff := cmp.Diff(first, h.create(c)); diff != "" {
			h.t.Errorf("the repetition (-first +second):\n%s", diff)
		}
		if _, err := h.DeleteExpense(h.t.Context(), h.user.ID, first.ID, models.Author{}); err != nil {
			h.t.Fatal(err)
		}
		if again := h.create(c); again.ID != first.ID {
			h.t.Error("a repetition revived what was deleted")
		}
		others := []ledger.ExpenseCreation{c, c, c}
		others[0].ClientID = "c2"
		others[1].Author.DeviceID = "device_2"
		others[2].RequestID = "c1" // named by a header, which is another list of names
		for i, other := range others {
			if h.create(other).ID == first.ID {
				h.t.Errorf("creation %d was taken for the first", i)
			}
		}
		if len(h.log()) != 5 {
			h.t.Errorf("the log has %d changes", len(h.log()))
		}
	})
}

func TestANameThatWasUsedForOtherDataIsRefused(t *testing.T) {
	each(t, func(h *fixture) {
		for _, c := range []ledger.ExpenseCreation{
			{Draft: lunch(), Author: models.Author{DeviceID: "device_1"}, ClientID: "c1"},
			{Draft: lunch(), Author: models.Author{DeviceID: "device_1"}, RequestID: "c1"},
		} {
			h.create(c)
			before := len(h.log())
			other, dated := c, c
			other.Draft.Amount++
			dated.Draft.Date = ptr(time.Now())
			for _, c := range []ledger.ExpenseCreation{other, dated} {
				_, err := h.CreateExpense(h.t.Context(), h.user.ID, c)
				var e *models.Error
				if models.KindOf(err) != models.Conflict || !errors.As(err, &e) || e.Code != ledger.CodeKeyReused {
					h.t.Errorf("%+v: %v", c, err)
				}
			}
			if len(h.log()) != before {
				h.t.Error("a refused creation is in the log")
			}
		}
	})
}

func TestANamedCreationSentAtOnceIsMadeOnce(t *testing.T) {
	each(t, func(h *fixture) {
		ids := make([]string, 8)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				e, err := h.CreateExpense(h.t.Context(), h.user.ID, ledger.ExpenseCreation{Draft: lunch(), RequestID: "k"})
				if ids[i] = e.ID; err != nil {
					h.t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(slices.Compact(ids)) != 1 || len(h.log()) != 1 {
			h.t.Errorf("made %v, %d changes", ids, len(h.log()))
		}
	})
}

// For any order of repetitions, a key identifies one expense: the first data is stored once
// and returned for each repetition, other data is refused.
func TestNamedCreationsHoweverRepeatedAreMadeOnce(t *testing.T) {
	each(t, func(h *fixture) {
		rapid.Check(h.t, func(t *rapid.T) {
			h.user = storetest.User(h.t, h.store)
			type name struct{ request, client, device string }
			made, amounts := map[name]models.Expense{}, map[name]models.Money{}
			want := 0
			for range rapid.IntRange(1, 12).Draw(t, "requests") {
				d := lunch()
				d.Amount = models.Money(rapid.IntRange(1, 2).Draw(t, "amount")) * 1_000_000
				n := name{
					rapid.SampledFrom([]string{"", "", "r1"}).Draw(t, "request"),
					rapid.SampledFrom([]string{"", "c1", "c2"}).Draw(t, "client"),
					rapid.SampledFrom([]string{"", "device_1"}).Draw(t, "device"),
				}
				c := ledger.ExpenseCreation{
					Draft: d, RequestID: n.request, ClientID: n.client, Author: models.Author{DeviceID: n.device},
					Posted: true,
				}
				own := name{client: n.client, device: n.device}
				if n.request != "" {
					n = name{request: n.request}
				}
				e, err := h.CreateExpense(h.t.Context(), h.user.ID, c)
				first, known := made[n]
				switch {
				case n.request+n.client == "" || !known:
					if err != nil {
						t.Fatal(err)
					}
					made[n], amounts[n], want = e, d.Amount, want+1
					if _, taken := made[own]; !taken {
						made[own], amounts[own] = e, d.Amount
					}
				case amounts[n] != d.Amount:
					if models.KindOf(err) != models.Conflict {
						t.Fatalf("other data under %+v: %v", n, err)
					}
				case err != nil || !cmp.Equal(first, e):
					t.Fatalf("%+v again: %v (-first +again):\n%s", n, err, cmp.Diff(first, e))
				}
			}
			if got := len(h.log()); got != want {
				t.Fatalf("%d changes, want %d", got, want)
			}
		})
	})
}

func TestD17RemembersWhatWasPosted(t *testing.T) {
	each(t, func(h *fixture) {
		by := models.Author{DeviceID: "device_1"}
		posted := h.create(ledger.ExpenseCreation{Draft: lunch(), Author: by, Posted: true})
		h.create(ledger.ExpenseCreation{Draft: lunch(), Author: by})   // by a socket
		h.create(ledger.ExpenseCreation{Draft: lunch(), Posted: true}) // from nobody knows where
		// with a name that its operation would have too
		h.create(ledger.ExpenseCreation{Draft: lunch(), Author: by, ClientID: "c", Posted: true})
		claims := 0
		err := h.Write(h.t.Context(), h.user.ID, func(w *ledger.Work) error {
			at := posted.CreatedAt
			for {
				id, ok, err := w.Tx.ClaimPost("device_1", ledger.DataHash(lunch()), at.Add(-time.Second), at.Add(time.Minute))
				if err != nil || !ok {
					return err
				}
				if claims++; id != posted.ID {
					h.t.Errorf("claimed %s", id)
				}
			}
		})
		if err != nil || claims != 1 {
			h.t.Errorf("%d claims, %v", claims, err)
		}
	})
}

func TestDecision10LastSyncedAtGrowsStrictly(t *testing.T) {
	each(t, func(h *fixture) {
		var last time.Time
		for range 20 {
			e := h.create(ledger.ExpenseCreation{Draft: lunch()})
			if !e.LastSyncedAt.After(last) {
				h.t.Fatalf("%v does not follow %v", e.LastSyncedAt, last)
			}
			last = e.LastSyncedAt
		}
	})
}

// A repeated POST is recognised by a hash that an earlier release may have stored.
func TestHashesOfEarlierReleasesStayValid(t *testing.T) {
	at, day := time.Date(2026, 1, 19, 12, 0, 0, 0, time.UTC), models.DayOf(time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC), time.UTC)
	full := models.Draft{
		Description: "Lunch", Amount: 12_500_000, Category: "food", Type: "expense", Currency: "EUR",
		Date: &at, Day: &day, Merchant: "Corner", Notes: "with Bo",
	}
	bare := full
	bare.Merchant, bare.Notes, bare.Currency, bare.Date, bare.Day = "", "", "", nil, nil
	if got := ledger.DataHash(full); got != "7a812f15adbf8b46427eb454bdda17af53bdbf99bdda3a8edb0291b8addc8777" {
		t.Errorf("a full draft has hash %s", got)
	}
	if got := ledger.DataHash(bare); got != "a492ddff8e50b60520619374b6824384a85397a49180d4589db940092712db73" {
		t.Errorf("a draft without optional fields has hash %s", got)
	}
}

func TestDataHashIgnoresHowThingsWereWritten(t *testing.T) {
	at := time.Date(2026, 1, 19, 12, 0, 0, 0, time.UTC)
	tidy, untidy := lunch(), lunch()
	tidy.Description, tidy.Currency, tidy.Date = "Lunch", "USD", &at
	untidy.Currency, untidy.Date = " usd", ptr(at.Add(999))
	if ledger.DataHash(tidy) != ledger.DataHash(untidy) {
		t.Error("the same data have two names")
	}
	seen := map[string]bool{ledger.DataHash(tidy): true}
	for _, f := range []func(*models.Draft){
		func(d *models.Draft) { d.Amount++ }, func(d *models.Draft) { d.Date = nil }, func(d *models.Draft) { d.Type = "income" },
		func(d *models.Draft) { d.Merchant = "M" }, func(d *models.Draft) { d.Notes = "M" },
		func(d *models.Draft) { d.Tags = "M" },
	} {
		other := tidy
		f(&other)
		if h := ledger.DataHash(other); seen[h] {
			t.Errorf("%+v has another's name", other)
		} else {
			seen[h] = true
		}
	}
	if ledger.HashKey("a", "bc") == ledger.HashKey("ab", "c") || ledger.HashKey("a") == ledger.HashKey("a", "") {
		t.Error("different lists share a key")
	}
}
