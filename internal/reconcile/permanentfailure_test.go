package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// A failingItem is an operation that fails although its data is valid.
type failingItem struct {
	*batchItem
	spoil        func(s *txScope) error
	spoilRefusal func(s *txScope) error
}

func (p *failingItem) apply(s *txScope) error {
	if err := p.batchItem.apply(s); err != nil {
		return err
	}
	return p.spoil(s)
}

func (p *failingItem) refuse(s *txScope, why string, withoutData bool) error {
	if p.spoilRefusal != nil && !withoutData {
		return p.spoilRefusal(s)
	}
	return p.batchItem.refuse(s, why, withoutData)
}

type failingFixture struct {
	*Reconciler
	t      *testing.T
	store  *store.Store
	userID string
	parked []models.QueuedOperation
}

func eachFailing(t *testing.T, test func(k *failingFixture)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		k := &failingFixture{t: t, store: s, userID: storetest.User(t, s).ID}
		k.Reconciler = New(ledger.New(s, nil, ledger.Options{}), s, Options{
			ChunkSize: 4, Logger: slog.New(slog.DiscardHandler),
			OnParked: func(_ string, ops []models.QueuedOperation) { k.parked = append(k.parked, ops...) },
		})
		test(k)
	})
}

func (k *failingFixture) operations(n int) []models.Operation {
	ops := make([]models.Operation, n)
	for i := range ops {
		at := time.Now().UnixMilli() - int64(i)
		ops[i] = models.Operation{
			Action: models.Create, ResourceType: "expense", ResourceID: fmt.Sprint("temp_", at), DeviceID: "device_1", Timestamp: &at,
			Data: json.RawMessage(`{"description":"Lunch","amount":12.5,"category":"food","type":"expense"}`),
		}
	}
	return ops
}

// items returns n parsed valid operations.
func (k *failingFixture) items(n int) []*batchItem {
	k.t.Helper()
	items, err := newBatchItems(k.t.Context(), k.userID, k.operations(n))
	if err != nil {
		k.t.Fatal(err)
	}
	return items
}

func (k *failingFixture) expenses() int {
	k.t.Helper()
	_, n, err := k.store.Expenses(k.t.Context(), k.userID, 1, 1)
	if err != nil {
		k.t.Fatal(err)
	}
	return int(n)
}

// refused is data that both engines refuse when it is written.
func refused(s *txScope) error {
	s.Tx.InsertExpense(models.Expense{ID: ledger.NewID(), UserID: s.Tx.User().ID, Description: "a\x00b"})
	return nil
}

func panics(*txScope) error { panic("a defect of ours") }

func defective(*txScope) error { return errors.New("a defect of ours") }

func unforeseen(*txScope) error { return models.E(models.Forbidden, "Not this one") }

// An operation that makes its chunk fail every time is parked; all others, including those
// of its chunk, are applied once.
func TestAPoisonousOperationEndsParked(t *testing.T) {
	tests := []struct {
		name  string
		apply func(*txScope) error
		why   string
	}{
		{"the database refuses it", refused, "This data cannot be stored"},
		{"it panics", panics, textFailed},
		{"it fails for no known reason", defective, textFailed},
		{"it fails for an unforeseen reason", unforeseen, "Not this one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachFailing(t, func(k *failingFixture) {
				items := k.items(10)
				jobs := asJobs(items)
				jobs[2] = &failingItem{batchItem: items[2], spoil: tt.apply}
				jobs[5] = &failingItem{batchItem: items[5], spoil: tt.apply}
				if err := k.run(k.t.Context(), k.userID, models.Author{}, jobs); err != nil {
					k.t.Fatalf("the batch failed: %v", err)
				}
				for i, it := range items {
					if bad := i == 2 || i == 5; bad != (it.result.Status == models.StatusParked) || bad && it.result.Error != tt.why {
						k.t.Errorf("result %d: %+v", i, it.result)
					}
				}
				if k.expenses() != 8 || len(k.parked) != 2 {
					k.t.Errorf("%d expenses, heard of %d parked", k.expenses(), len(k.parked))
				}
				k.checkParked(items[2], items[5])
				k.checkLog(8)
				again, err := k.Apply(k.t.Context(), k.userID, models.Author{}, k.again(items))
				if err != nil || again[2].Error != tt.why || k.expenses() != 8 || len(k.parked) != 2 {
					k.t.Errorf("its replay: %v, %+v", err, again[2])
				}
			})
		})
	}
}

func (k *failingFixture) again(items []*batchItem) []models.Operation {
	ops := make([]models.Operation, len(items))
	for i, it := range items {
		ops[i] = it.op
	}
	return ops
}

// checkLog wants so many changes in the log, without a hole, and nothing else
// counted: a tail steps over no hole, so that one would silence all devices.
func (k *failingFixture) checkLog(want int) {
	k.t.Helper()
	changes, err := k.store.Changes(k.t.Context(), k.userID, 0, want+1)
	if err != nil || len(changes) != want {
		k.t.Fatalf("%d changes in the log, %v", len(changes), err)
	}
	for i, c := range changes {
		if c.Seq != int64(i)+1 {
			k.t.Errorf("change %d in the log has sequence %d", i+1, c.Seq)
		}
	}
	if l, err := k.store.LogState(k.t.Context(), k.userID); err != nil || l.Head != int64(want) {
		k.t.Errorf("the log is said to end at %d, %v", l.Head, err)
	}
}

func (k *failingFixture) checkParked(want ...*batchItem) {
	k.t.Helper()
	ops, err := k.Pending(k.t.Context(), k.userID)
	if err != nil || len(ops) != len(want) {
		k.t.Fatalf("%d are parked, %v", len(ops), err)
	}
	for i, it := range want {
		if diff := cmp.Diff(it.op, ops[i].Operation); diff != "" {
			k.t.Errorf("parked %d (-sent +kept):\n%s", i, diff)
		}
	}
}

// An operation that cannot be stored with its data is parked without it.
func TestAnOperationThatCannotBeKeptIsKeptWithoutItsData(t *testing.T) {
	eachFailing(t, func(k *failingFixture) {
		items := k.items(3)
		jobs := asJobs(items)
		jobs[1] = &failingItem{batchItem: items[1], spoil: panics, spoilRefusal: refused}
		if err := k.run(k.t.Context(), k.userID, models.Author{}, jobs); err != nil {
			k.t.Fatalf("the batch failed: %v", err)
		}
		ops, err := k.Pending(k.t.Context(), k.userID)
		if err != nil || len(ops) != 1 || ops[0].Data != nil || ops[0].ResourceID != items[1].op.ResourceID || k.expenses() != 2 {
			k.t.Errorf("kept %+v, %v", ops, err)
		}
	})
}

// A temporary error fails the batch and parks nothing, wherever it occurs; the operations
// applied before it are replayed.
func TestTroubleThatWillPassParksNothing(t *testing.T) {
	for name, poisoned := range map[string]func(*txScope) error{
		"alone":                 nil,
		"beside a failing item": panics,
		"with a hung up caller": func(*txScope) error { return context.Canceled },
	} {
		t.Run(name, func(t *testing.T) {
			eachFailing(t, func(k *failingFixture) {
				items := k.items(10)
				jobs := asJobs(items)
				trouble := models.E(models.Unavailable, "the database is away")
				jobs[6] = &failingItem{batchItem: items[6], spoil: func(*txScope) error { return trouble }}
				if poisoned != nil {
					jobs[5] = &failingItem{batchItem: items[5], spoil: poisoned}
				}
				err := k.run(k.t.Context(), k.userID, models.Author{}, jobs)
				if err == nil || isPermanent(err) {
					k.t.Fatalf("the batch gave %v", err)
				}
				if k.expenses() != 4 || len(k.parked) != 0 {
					k.t.Errorf("%d expenses, heard of %d parked", k.expenses(), len(k.parked))
				}
				results, err := k.Apply(k.t.Context(), k.userID, models.Author{}, k.again(items))
				if err != nil || len(results) != 10 || k.expenses() != 10 {
					k.t.Errorf("later: %v, %d expenses", err, k.expenses())
				}
				k.checkParked()
			})
		})
	}
}

func TestRetryOfAPoisonousOperationLeavesItParked(t *testing.T) {
	eachFailing(t, func(k *failingFixture) {
		items := k.items(1)
		poisoned := &failingItem{batchItem: items[0], spoil: panics}
		if err := k.run(k.t.Context(), k.userID, models.Author{}, []job{poisoned}); err != nil {
			k.t.Fatal(err)
		}
		j := &retry{}
		err := k.transact(k.t.Context(), k.userID, &callState{devices: devices{}}, func(s *txScope) error {
			stored, err := s.Tx.Operation(k.parked[0].ID)
			if err != nil {
				return err
			}
			j = newRetry(stored, nil)
			return k.attempt(k.t.Context(), s, &failingRetry{j})
		})
		if err != nil || j.row.State != models.Parked || k.expenses() != 0 {
			k.t.Errorf("retried: %v, %+v", err, j.row)
		}
		k.checkParked(items[0])
		r, err := k.Retry(k.t.Context(), k.userID, models.Author{}, k.parked[0].ID, nil)
		if err != nil || r.Status != models.StatusCreated {
			k.t.Errorf("once the defect is mended: %+v, %v", r, err)
		}
	})
}

type failingRetry struct{ *retry }

func (p *failingRetry) apply(s *txScope) error {
	if err := p.retry.apply(s); err != nil {
		return err
	}
	panic("a defect of ours")
}

// Violations that the ledger finds have Mongoose's message too.
func TestARuleOfTheLedgersParksAnOperation(t *testing.T) {
	eachFailing(t, func(k *failingFixture) {
		items := k.items(2)
		items[0].draft.Amount = 0
		items[1].op.Action, items[1].patch.Type = models.Update, new(string)
		if err := k.run(k.t.Context(), k.userID, models.Author{}, asJobs(items)); err != nil {
			k.t.Fatal(err)
		}
		want := "Expense validation failed: amount: Path `amount` (0) is less than minimum allowed value (0.01)."
		if got := items[0].result; got.Status != models.StatusParked || got.Error != want {
			k.t.Errorf("got %+v", got)
		}
		if got := items[1].result.Error; got != "Validation failed: type: Path `type` is required." {
			k.t.Errorf("got %q", got)
		}
	})
}

// The same for a delta: the failing change is refused, and the browser keeps it.
func TestAPoisonousChangeOfADeltaIsRefusedAlone(t *testing.T) {
	eachFailing(t, func(k *failingFixture) {
		var jobs []job
		var items []*deltaItem
		for i, op := range k.operations(5) {
			d := newDeltaItem(k.userID, "", models.DeltaChange{
				Action: op.Action, LocalID: json.RawMessage(fmt.Sprint(i)), Data: op.Data, Timestamp: op.Timestamp,
			})
			items, jobs = append(items, d), append(jobs, d)
		}
		jobs[1] = &failingDelta{items[1]}
		if err := k.run(k.t.Context(), k.userID, models.Author{}, jobs); err != nil {
			k.t.Fatal(err)
		}
		for i, d := range items {
			if bad := i == 1; bad != (d.result.Error == textFailed) || bad == (d.result.Expense != nil) {
				k.t.Errorf("result %d: %+v", i, d.result)
			}
		}
		if k.expenses() != 4 || len(k.parked) != 0 {
			k.t.Errorf("%d expenses, %d parked", k.expenses(), len(k.parked))
		}
	})
}

type failingDelta struct{ *deltaItem }

func (p *failingDelta) apply(s *txScope) error {
	if err := p.deltaItem.apply(s); err != nil {
		return err
	}
	panic("a defect of ours")
}

func TestAUserWhoIsGoneIsNoTroubleOfOurs(t *testing.T) {
	eachFailing(t, func(k *failingFixture) {
		if _, err := k.Apply(k.t.Context(), storetest.ID(), models.Author{}, k.operations(1)); models.KindOf(err) != models.NotFound {
			k.t.Errorf("got %v", err)
		}
	})
}
