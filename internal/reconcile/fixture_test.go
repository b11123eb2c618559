package reconcile_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"expenseflow/internal/ledger"
	"expenseflow/internal/reconcile"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
	"expenseflow/models"
)

func TestMain(m *testing.M) {
	testneed.FewerChecksWithRace()
	os.Exit(m.Run())
}

// noon is when the tests begin, and nine, in the morning, is when devices
// queued what they send.
var (
	noon = time.Date(2026, time.January, 19, 12, 0, 0, 0, time.UTC)
	nine = noon.Add(-3 * time.Hour)
)

const device = "device_abc123xyz"

// A fixture is a Reconciler on a database and with a clock of its own, and a user.
type fixture struct {
	*reconcile.Reconciler
	t      testing.TB
	ledger *ledger.Ledger
	store  *store.Store
	user   models.User

	browser string // of apply; at first the one that others use too

	mu      sync.Mutex
	now     time.Time
	parked  []models.QueuedOperation // heard of, in order
	settled []models.OperationState  // what OnSettled was called with
}

// each runs a test on both engines, in chunks so small that they matter.
func each(t *testing.T, test func(h *fixture)) {
	t.Helper()
	eachWith(t, reconcile.Options{ChunkSize: 3}, test)
}

func eachWith(t *testing.T, o reconcile.Options, test func(h *fixture)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		h, o := &fixture{t: t, now: noon, browser: browser}, o // both engines' tests run at once
		so := options(t)
		so.Now, so.SQLiteSync = h.clock, "NORMAL" // no test cuts the power
		h.store = storetest.Open(t, so)
		h.user = storetest.User(t, h.store)
		h.ledger = ledger.New(h.store, nil, ledger.Options{})
		o.Logger = slog.New(slog.DiscardHandler)
		o.OnParked, o.OnSettled = h.onParked, h.onSettled
		h.Reconciler = reconcile.New(h.ledger, h.store, o)
		test(h)
	})
}

func (h *fixture) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *fixture) setClock(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = t
}

func (h *fixture) onParked(userID string, ops []models.QueuedOperation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, op := range ops {
		if op.UserID != userID {
			h.t.Errorf("%s heard of an operation of %s", userID, op.UserID)
		}
	}
	h.parked = append(h.parked, ops...)
}

func (h *fixture) onSettled(_ string, how models.OperationState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.settled = append(h.settled, how)
}

// browser names the one that the user and, where a test says so, others use.
const browser = "the browser"

// apply applies a batch that must not fail as a whole.
func (h *fixture) apply(ops ...models.Operation) []models.Result {
	h.t.Helper()
	rs, err := h.Apply(h.t.Context(), h.user.ID, models.Author{TokenID: "jti", Browser: h.browser}, ops)
	if err != nil {
		h.t.Fatalf("apply: %v", err)
	}
	if len(rs) != len(ops) {
		h.t.Fatalf("%d results for %d operations", len(rs), len(ops))
	}
	for i, r := range rs {
		if r.ResourceID != ops[i].ResourceID {
			h.t.Fatalf("result %d answers %s, not %s", i, r.ResourceID, ops[i].ResourceID)
		}
	}
	return rs
}

// statuses is what became of a batch, in short.
func statuses(rs []models.Result) []models.Status {
	ss := make([]models.Status, len(rs))
	for i, r := range rs {
		ss[i] = r.Status
	}
	return ss
}

func (h *fixture) wantStatuses(rs []models.Result, want ...models.Status) {
	h.t.Helper()
	if diff := cmp.Diff(want, statuses(rs)); diff != "" {
		h.t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

// list is what the user has, by SELECT.
func (h *fixture) list() []models.Expense {
	h.t.Helper()
	es := []models.Expense{}
	err := h.store.EachExpense(h.t.Context(), h.user.ID, func(e models.Expense) error {
		es = append(es, e)
		return nil
	})
	if err != nil {
		h.t.Fatalf("list: %v", err)
	}
	return es
}

func (h *fixture) log() []models.Change {
	h.t.Helper()
	changes, err := h.store.Changes(h.t.Context(), h.user.ID, 0, 100_000)
	if err != nil {
		h.t.Fatalf("changes: %v", err)
	}
	return changes
}

// kinds is what a device would have heard.
func (h *fixture) kinds() []models.ChangeKind {
	h.t.Helper()
	ks := []models.ChangeKind{}
	for _, c := range h.log() {
		ks = append(ks, c.Kind)
	}
	return ks
}

// checkLog holds the log against SELECT: no gap, and its fold is the list.
func (h *fixture) checkLog() {
	h.t.Helper()
	fold := map[string]models.Expense{}
	for i, c := range h.log() {
		if c.Seq != int64(i+1) {
			h.t.Fatalf("change %d has sequence %d", i+1, c.Seq)
		}
		if _, known := fold[c.EntityID]; known == (c.Kind == models.ExpenseCreated) {
			h.t.Fatalf("%s of what is there: %v", c.Kind, known)
		}
		if c.Kind == models.ExpenseDeleted {
			delete(fold, c.EntityID)
		} else {
			fold[c.EntityID] = c.Expense
		}
	}
	listed := map[string]models.Expense{}
	for _, e := range h.list() {
		listed[e.ID] = e
	}
	if diff := cmp.Diff(listed, fold, cmpopts.EquateEmpty()); diff != "" {
		h.t.Fatalf("the log's fold differs (-SELECT +fold):\n%s", diff)
	}
}

// pending is the parked operations and what the status says about them.
func (h *fixture) pending() []models.QueuedOperation {
	h.t.Helper()
	ops, err := h.Pending(h.t.Context(), h.user.ID)
	if err != nil {
		h.t.Fatalf("pending: %v", err)
	}
	_, n, err := h.Status(h.t.Context(), h.user.ID)
	if err != nil || n != int64(len(ops)) {
		h.t.Fatalf("status says %d are pending, %v; they are %d", n, err, len(ops))
	}
	return ops
}

func (h *fixture) onlyPending() models.QueuedOperation {
	h.t.Helper()
	ops := h.pending()
	if len(ops) != 1 {
		h.t.Fatalf("%d operations are parked", len(ops))
	}
	return ops[0]
}

func ptr[T any](v T) *T { return &v }

const lunch = `{"description":"Lunch","amount":12.5,"category":"food","type":"expense"}`

// create is an operation as the browser queues it ms milliseconds after nine.
func create(ms int64, data string) models.Operation {
	at := nine.UnixMilli() + ms
	return models.Operation{
		Action: models.Create, ResourceType: "expense", ResourceID: fmt.Sprintf("temp_%d", at),
		DeviceID: device, Data: json.RawMessage(data), Timestamp: &at,
	}
}

func update(ms int64, id, data string) models.Operation {
	op := create(ms, data)
	op.Action, op.ResourceID = models.Update, id
	return op
}

func del(ms int64, id string) models.Operation {
	op := update(ms, id, "")
	op.Action, op.Data = models.Delete, nil
	return op
}

func of(deviceID string, op models.Operation) models.Operation {
	op.DeviceID = deviceID
	return op
}

func timeless(op models.Operation) models.Operation {
	op.Timestamp = nil
	return op
}

func named(id string, op models.Operation) models.Operation {
	op.ResourceID = id
	return op
}

// newFuzzFixture is a fixture on SQLite for a fuzz target.
func newFuzzFixture(f *testing.F) *fixture {
	f.Helper()
	h := &fixture{t: f, now: noon}
	o := storetest.SQLiteOptions(f)
	o.Now, o.SQLiteSync = h.clock, "NORMAL"
	h.store = storetest.Open(f, o)
	h.ledger = ledger.New(h.store, nil, ledger.Options{})
	h.Reconciler = reconcile.New(h.ledger, h.store, reconcile.Options{Logger: slog.New(slog.DiscardHandler)})
	return h
}
