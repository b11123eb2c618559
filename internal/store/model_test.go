package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A model is what a user's data should be.
type model struct {
	expenses map[string]models.Expense
	log      []string // kind and id of each change
	keys     map[string]string
	aliases  map[store.AliasKey]string
	budgets  map[string]models.Budget
	notes    map[string]models.Notification

	settings models.Settings
}

func newModel() model {
	return model{
		expenses: map[string]models.Expense{}, keys: map[string]string{}, aliases: map[store.AliasKey]string{},
		budgets: map[string]models.Budget{}, notes: map[string]models.Notification{},
		settings: models.Settings{Name: "Alice"}, // storetest.User's
	}
}

func (m model) clone() model {
	m.expenses, m.keys, m.aliases = maps.Clone(m.expenses), maps.Clone(m.keys), maps.Clone(m.aliases)
	m.log, m.budgets, m.notes = slices.Clone(m.log), maps.Clone(m.budgets), maps.Clone(m.notes)
	return m
}

// A run plays random steps on a transaction and the model together.
type run struct {
	t    *rapid.T
	tx   *store.Tx
	user string
	m    model
}

var errUndo = errors.New("undo")

// TestTransactionsAgreeWithAModel plays transactions of random reads and writes
// with nested attempts, some of which fail, and compares all that is left.
func TestTransactionsAgreeWithAModel(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		rapid.Check(t, func(rt *rapid.T) {
			user := storetest.User(t, s).ID
			m := newModel()
			for range rapid.IntRange(1, 4).Draw(rt, "transactions") {
				m = transaction(rt, s, user, m)
			}
			compare(rt, s, user, m)
		})
	})
}

// transaction plays one and gives the model after it.
func transaction(rt *rapid.T, s *store.Store, user string, before model) model {
	after := before
	err := s.Write(context.Background(), user, func(tx *store.Tx) error {
		r := &run{t: rt, tx: tx, user: user, m: before.clone()}
		if err := r.steps(0); err != nil {
			return err
		}
		after = r.m
		return nil
	})
	if err != nil && !errors.Is(err, errUndo) {
		rt.Fatalf("Write: %v", err)
	}
	if err != nil {
		return before
	}
	return after
}

// steps plays some steps; half of the attempts and a few transactions fail.
func (r *run) steps(depth int) error {
	for range rapid.IntRange(0, 6).Draw(r.t, "steps") {
		if err := r.step(depth); err != nil {
			return err
		}
	}
	if rapid.IntRange(0, 5).Draw(r.t, "fail") < 1+2*min(depth, 1) {
		return errUndo
	}
	return nil
}

func (r *run) step(depth int) error {
	switch rapid.IntRange(0, 10).Draw(r.t, "step") {
	case 0:
		e := expense(r.user)
		e.Currency = anyCurrency(r.t)
		r.tx.InsertExpense(e)
		r.save(models.ExpenseCreated, e)
	case 1:
		return r.change(false)
	case 2:
		return r.change(true)
	case 3:
		return r.operate()
	case 4:
		return r.name()
	case 5:
		return r.look()
	case 6:
		return r.budget()
	case 7:
		return r.reckon()
	case 8:
		return r.note()
	case 9:
		return r.choose()
	default:
		return r.attempt(depth)
	}
	return nil
}

func (r *run) save(kind models.ChangeKind, e models.Expense) {
	r.tx.AppendChange(kind, e, models.Author{})
	r.m.log = append(r.m.log, string(kind)+" "+e.ID)
	if r.m.expenses[e.ID] = e; kind == models.ExpenseDeleted {
		delete(r.m.expenses, e.ID)
	}
}

// pick chooses an expense, if there is one.
func (r *run) pick() (string, bool) {
	ids := slices.Sorted(maps.Keys(r.m.expenses))
	if len(ids) == 0 {
		return "", false
	}
	return ids[rapid.IntRange(0, len(ids)-1).Draw(r.t, "expense")], true
}

func (r *run) change(remove bool) error {
	id, ok := r.pick()
	if !ok {
		return nil
	}
	e, err := r.tx.Expense(id)
	if err != nil {
		return err
	}
	if remove {
		r.save(models.ExpenseDeleted, e)
		return r.tx.DeleteExpense(e)
	}
	e.Version++
	e.Amount = models.Money(rapid.Int64Range(1, 3_000_000).Draw(r.t, "amount"))
	e.Category = rapid.SampledFrom([]string{"food", "other"}).Draw(r.t, "category")
	e.Type = rapid.SampledFrom(models.Types).Draw(r.t, "type")
	e.Date = e.Date.AddDate(0, 0, rapid.IntRange(-1, 1).Draw(r.t, "days"))
	e.Day = models.DayOf(e.Date, time.UTC) + models.Day(rapid.IntRange(0, 1).Draw(r.t, "a day later"))
	e.Currency = anyCurrency(r.t)
	e.Tags = rapid.SampledFrom([]models.Tags{"", "work", "work\n\\ \"home\""}).Draw(r.t, "tags")
	e.Description = "version " + strconv.FormatInt(e.Version, 10)
	r.tx.UpdateExpense(e)
	r.save(models.ExpenseUpdated, e)
	return nil
}

func (r *run) operate() error {
	key := rapid.SampledFrom([]string{"k1", "k2", "k3"}).Draw(r.t, "key")
	op, found, err := r.tx.OperationByKey(key)
	if err != nil || found != (r.m.keys[key] != "") || (found && op.ID != r.m.keys[key]) {
		return fmt.Errorf("key %s: found %v as %s, %w; the model has %q", key, found, op.ID, err, r.m.keys[key])
	}
	if found {
		op.UpdatedAt = r.tx.Now()
		r.tx.UpdateOperation(op)
		return nil
	}
	op = operation(r.tx, key, "temp_1", nil)
	r.tx.InsertOperation(op)
	r.m.keys[key] = op.ID
	return nil
}

func (r *run) name() error {
	k := store.AliasKey{
		DeviceID: rapid.SampledFrom([]string{"phone", "tablet"}).Draw(r.t, "device"),
		TempID:   rapid.SampledFrom([]string{"temp_1", "temp_2"}).Draw(r.t, "temporary id"),
	}
	id, _, err := r.tx.Alias(k.DeviceID, k.TempID)
	if err != nil || id != r.m.aliases[k] {
		return fmt.Errorf("alias %v is %q, %w; the model has %q", k, id, err, r.m.aliases[k])
	}
	id = storetest.ID()
	r.tx.SetAlias(k.DeviceID, k.TempID, id)
	r.m.aliases[k] = id
	return nil
}

// look reads an expense that may have been deleted.
func (r *run) look() error {
	if id, ok := r.pick(); ok {
		e, err := r.tx.Expense(id)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(r.m.expenses[id], e); diff != "" {
			return fmt.Errorf("expense (-model +got):\n%s", diff)
		}
	}
	return nil
}

func (r *run) attempt(depth int) error {
	if depth == 3 {
		return nil
	}
	saved := r.m.clone()
	err := r.tx.Attempt(func() error { return r.steps(depth + 1) })
	if errors.Is(err, errUndo) {
		r.m = saved
		return nil
	}
	return err
}

func compare(rt *rapid.T, s *store.Store, user string, m model) {
	ctx := context.Background()
	table := map[string]models.Expense{}
	err := s.EachExpense(ctx, user, func(e models.Expense) error { table[e.ID] = e; return nil })
	if diff := cmp.Diff(m.expenses, table); diff != "" || err != nil {
		rt.Fatalf("expenses: %v (-model +got):\n%s", err, diff)
	}
	changes, err := s.Changes(ctx, user, 0, 1000)
	var log []string
	for i, c := range changes {
		if c.Seq != int64(i)+1 {
			rt.Fatalf("change %d has sequence %d", i, c.Seq)
		}
		log = append(log, string(c.Kind)+" "+c.EntityID)
	}
	if diff := cmp.Diff(m.log, log); diff != "" || err != nil {
		rt.Fatalf("log: %v (-model +got):\n%s", err, diff)
	}
	compareMoney(rt, s, user, m)
	compareNotes(rt, s, user, m)
	for k, want := range m.aliases {
		if got, _, err := s.ResolveAlias(ctx, user, k.DeviceID, k.TempID); got != want || err != nil {
			rt.Fatalf("alias %v: %q, %v, want %q", k, got, err, want)
		}
	}
}
