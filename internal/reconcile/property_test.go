package reconcile_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"expenseflow/internal/reconcile"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// An expenseSummary is the part of an expense that the test compares.
type expenseSummary struct {
	Description, Notes string
	Version            int64
}

// An answer is the part of a result that the test compares.
type answer struct {
	Status models.Status
	Meal   expenseSummary
}

// A reference is a simple implementation that applies each operation once.
type reference struct {
	summaries map[string]expenseSummary // by description, which names the operation that made it
	aliases   map[[2]string]string      // device and temporary id to description
	answers   map[int]answer            // by operation
	events    int
}

func newReference() *reference {
	return &reference{summaries: map[string]expenseSummary{}, aliases: map[[2]string]string{}, answers: map[int]answer{}}
}

func (r *reference) apply(n int, op models.Operation) answer {
	if a, again := r.answers[n]; again {
		return a
	}
	alias := [2]string{op.DeviceID, op.ResourceID}
	m, known := r.summaries[r.aliases[alias]]
	a := answer{Status: models.StatusNotFound}
	switch {
	case op.Action == models.Create:
		m = expenseSummary{Description: description(n), Version: 1}
		r.aliases[alias], r.summaries[m.Description] = m.Description, m
		a = answer{models.StatusCreated, m}
	case known && op.Action == models.Update:
		m.Notes, m.Version = description(n), m.Version+1
		r.summaries[m.Description] = m
		a = answer{models.StatusUpdated, m}
	case known:
		delete(r.summaries, m.Description)
		a = answer{models.StatusDeleted, m}
	}
	if a.Status != models.StatusNotFound {
		r.events++
	}
	r.answers[n] = a
	return a
}

func description(n int) string { return fmt.Sprint("operation ", n) }

// operations draws what two devices of the user queued, about few enough
// temporary ids that they are often the same.
func (h *fixture) operations(t *rapid.T) []models.Operation {
	ops := make([]models.Operation, rapid.IntRange(1, 12).Draw(t, "operations"))
	for n := range ops {
		var op models.Operation
		switch rapid.IntRange(0, 3).Draw(t, "action") {
		case 0, 1:
			op = create(int64(n), fmt.Sprintf(`{"description":%q,"amount":1,"category":"food","type":"expense"}`, description(n)))
		case 2:
			op = update(int64(n), "", fmt.Sprintf(`{"notes":%q}`, description(n)))
		case 3:
			op = del(int64(n), "")
		}
		op.ResourceID = fmt.Sprint("temp_", rapid.IntRange(0, 3).Draw(t, "temporary id"))
		ops[n] = of(fmt.Sprint(h.user.ID, "_", rapid.IntRange(0, 1).Draw(t, "device")), op)
	}
	return ops
}

// deliveries draws in which batches the operations arrive: in any order, in
// pieces, some of them again and again, and each at least once.
func deliveries(t *rapid.T, n int) [][]int {
	order := rapid.Permutation(slices.Collect(upTo(n))).Draw(t, "order")
	var batches [][]int
	for len(order) > 0 {
		size := rapid.IntRange(1, len(order)).Draw(t, "size")
		again := rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 0, n, rapid.ID).Draw(t, "again")
		again = slices.DeleteFunc(again, func(i int) bool { return slices.Contains(order[:size], i) })
		batches = append(batches, slices.Concat(order[:size], again))
		order = order[size:]
	}
	return batches
}

func upTo(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i++ {
		}
	}
}

func pick(ops []models.Operation, batch []int) []models.Operation {
	picked := make([]models.Operation, len(batch))
	for i, n := range batch {
		picked[i] = ops[n]
	}
	return picked
}

func seen(r models.Result) answer {
	a := answer{Status: r.Status}
	if r.Expense != nil {
		a.Meal = expenseSummary{r.Expense.Description, r.Expense.Notes, r.Expense.Version}
	}
	return a
}

func (h *fixture) summaries() []expenseSummary {
	var ms []expenseSummary
	for _, e := range h.list() {
		ms = append(ms, expenseSummary{e.Description, e.Notes, e.Version})
	}
	slices.SortFunc(ms, byDescription)
	return ms
}

func byDescription(a, b expenseSummary) int {
	return strings.Compare(a.Description, b.Description)
}

// Any batch repeated, split, reordered and mixed with others is its operations
// applied once, in the order of their first arrival; every answer is in its
// place; the log, its fold and SELECT agree.
func TestBatchesHoweverDeliveredAreAppliedOnce(t *testing.T) {
	each(t, func(h *fixture) {
		rapid.Check(h.t.(*testing.T), func(t *rapid.T) {
			h.user = storetest.User(h.t, h.store)
			h.browser = h.user.ID // nobody else's: what others did in it would set the queue aside
			ops := h.operations(t)
			ref := newReference()
			for _, batch := range deliveries(t, len(ops)) {
				for i, r := range h.apply(pick(ops, batch)...) {
					if diff := cmp.Diff(ref.apply(batch[i], ops[batch[i]]), seen(r)); diff != "" {
						t.Fatalf("operation %d of %v (-want +got):\n%s", batch[i], batch, diff)
					}
				}
			}
			want := slices.SortedFunc(maps.Values(ref.summaries), byDescription)
			if diff := cmp.Diff(want, h.summaries(), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("expenses (-want +got):\n%s", diff)
			}
			if got := len(h.log()); got != ref.events {
				t.Fatalf("%d changes, want %d", got, ref.events)
			}
			h.checkLog()
		})
	})
}

// The same from several processes at once, here several Reconcilers that share
// nothing but the database: an operation's every answer is the same.
func TestBatchesDeliveredAtOnceAreAppliedOnce(t *testing.T) {
	each(t, func(h *fixture) {
		others := []*reconcile.Reconciler{h.Reconciler, reconcile.New(h.ledger, h.store, reconcile.Options{ChunkSize: 2})}
		rapid.Check(h.t.(*testing.T), func(t *rapid.T) {
			h.user = storetest.User(h.t, h.store)
			ops := h.operations(t)
			batches := deliveries(t, len(ops))
			answers := make([][]models.Result, len(batches))
			var wg sync.WaitGroup
			for i, batch := range batches {
				wg.Go(func() {
					var err error
					answers[i], err = others[i%2].Apply(h.t.Context(), h.user.ID, models.Author{}, pick(ops, batch))
					if err != nil {
						h.t.Errorf("apply: %v", err)
					}
				})
			}
			wg.Wait()
			first := map[int]models.Result{}
			for i, batch := range batches {
				for j, n := range batch {
					if known, again := first[n]; again && !cmp.Equal(known, answers[i][j]) {
						t.Fatalf("operation %d (-one +another):\n%s", n, cmp.Diff(known, answers[i][j]))
					}
					first[n] = answers[i][j]
				}
			}
			h.checkEffects(t, ops, first)
			h.checkLog()
		})
	})
}

// checkEffects holds the log against the answers: one change per effect.
func (h *fixture) checkEffects(t *rapid.T, ops []models.Operation, answers map[int]models.Result) {
	want := map[models.ChangeKind]int{}
	for n := range ops {
		switch answers[n].Status {
		case models.StatusCreated:
			want[models.ExpenseCreated]++
		case models.StatusUpdated:
			want[models.ExpenseUpdated]++
		case models.StatusDeleted:
			want[models.ExpenseDeleted]++
		}
	}
	got := map[models.ChangeKind]int{}
	for _, k := range h.kinds() {
		got[k]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("changes (-answered +logged):\n%s", diff)
	}
}

// Any batch is answered, its replay has the same results, and the log stays consistent.
func FuzzApply(f *testing.F) {
	f.Add("temp_1", lunch, `{"amount":2}`, int64(1795288041641))
	f.Add("\x00", `{"description":"a\u0000"}`, `[]`, int64(-1))
	f.Add("bbbbbbbbbbbbbbbbbbbbbbbb", `null`, `{"version":-1}`, int64(1)<<62)
	h := newFuzzFixture(f)
	f.Fuzz(func(t *testing.T, id, data, patch string, at int64) {
		h.t, h.user = t, storetest.User(t, h.store)
		batch := []models.Operation{named(id, create(0, data)), named(id, update(1, "", patch)), named(id, del(2, ""))}
		for i := range batch {
			batch[i].DeviceID = h.user.ID
		}
		batch[0].Timestamp, batch[2].Timestamp = &at, nil
		first := h.apply(batch...)
		second := h.apply(batch...)
		if diff := cmp.Diff(first[:2], second[:2]); diff != "" {
			t.Errorf("replay (-first +second):\n%s", diff)
		}
		h.pending()
		h.checkLog()
	})
}
