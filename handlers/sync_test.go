package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/models"
)

// fakeReconciler records its calls and returns fixed values or err.
type fakeReconciler struct {
	asked []any
	err   error
	page  models.LogPage
	whole int // how many lunches a snapshot has
}

func (f *fakeReconciler) Apply(
	_ context.Context, userID string, by models.Author, ops []models.Operation,
) ([]models.Result, error) {
	f.asked = append(f.asked, userID, by, len(ops))
	rs := make([]models.Result, len(ops))
	for i, op := range ops {
		rs[i] = models.Result{ResourceID: op.ResourceID, Status: models.StatusDeleted, Expense: &lunch}
	}
	return rs, f.err
}

func (f *fakeReconciler) Status(context.Context, string) (*time.Time, int64, error) {
	return &noon, 3, f.err
}

func (f *fakeReconciler) EachPending(context.Context, string, func(models.QueuedOperation) error) error {
	return f.err
}

func (f *fakeReconciler) Retry(
	_ context.Context, userID string, by models.Author, id string, data json.RawMessage,
) (models.Result, error) {
	f.asked = append(f.asked, userID, by, id, string(data))
	return models.Result{ResourceID: "temp_1", Status: models.StatusParked, Error: "still wrong"}, f.err
}

func (f *fakeReconciler) Discard(_ context.Context, userID, id string) error {
	f.asked = append(f.asked, userID, id)
	return f.err
}

func (f *fakeReconciler) ParkedPage(
	_ context.Context, userID string, after models.ParkedPlace, limit int,
) (models.ParkedPage, error) {
	f.asked = append(f.asked, userID, after, limit)
	ops := []models.QueuedOperation{{ID: lunch.ID, UserID: userID, CreatedAt: noon}}
	return models.ParkedPage{Operations: ops, More: true, Total: 3, Last: models.ParkedPlace{CreatedAt: 9, ID: lunch.ID}}, f.err
}

func (f *fakeReconciler) DiscardAll(
	_ context.Context, userID string, through models.ParkedPlace,
) (discarded, left int64, err error) {
	f.asked = append(f.asked, userID, through)
	return 500, 2, f.err
}

func (f *fakeReconciler) RetryAll(
	_ context.Context, userID string, by models.Author, after, through models.ParkedPlace,
) (models.RetriedPage, error) {
	f.asked = append(f.asked, userID, by, after, through)
	return models.RetriedPage{Applied: 1, Failed: 2, More: after.ID == "", Next: through}, f.err
}

func (f *fakeReconciler) Pull(
	_ context.Context, userID string, since time.Time, fn func(models.Expense) error,
) (time.Time, error) {
	f.asked = append(f.asked, userID, since)
	for range 2 {
		if err := fn(lunch); err != nil {
			return noon, err
		}
	}
	return noon, f.err
}

func (f *fakeReconciler) Delta(
	_ context.Context, userID string, by models.Author, changes []models.DeltaChange,
) ([]models.DeltaResult, error) {
	f.asked = append(f.asked, userID, by, len(changes))
	return nil, f.err
}

func (f *fakeReconciler) ChangesSince(_ context.Context, userID string, since *models.Cursor, limit int) (models.LogPage, error) {
	f.asked = append(f.asked, userID, since, limit)
	return f.page, f.err
}

func (f *fakeReconciler) Snapshot(_ context.Context, _ string, fn func(int64, models.Expense) error) (int64, error) {
	for range f.whole {
		if err := fn(9, lunch); err != nil {
			return 9, err
		}
	}
	return 9, f.err
}

func TestMissedChanges(t *testing.T) {
	state := models.LogState{Epoch: "e", Head: 3}
	change := models.Change{
		Seq: 3, Kind: models.ExpenseUpdated, EntityID: lunch.ID, Expense: lunch,
		Author: models.Author{DeviceID: "d"}, At: noon,
	}
	some, all := models.LogPage{LogState: state, Since: 2, Changes: []models.Change{change}},
		models.LogPage{LogState: state, NeedsSnapshot: true}
	refused := func(text string) string {
		return fmt.Sprintf(`{"error":%q,"message":%q}`, text, text)
	}
	offset := "e." + alice.ID + "."
	whole := `{"epoch":"e","snapshot":true,"seq":9,"next":"` + offset + `9","expenses":[`
	tests := []struct {
		name, query string
		page        models.LogPage
		whole, code int
		answer      string
		asked       []any
	}{
		{
			"a page", "?since=2&limit=500", some, 0, 200,
			`{"epoch":"e","since":2,"head":3,"next":"` + offset +
				`3","more":false,"changes":[{"seq":3,"event":"expense_updated","expense":` + lunchJSON +
				`,"deviceId":"d","at":"2026-01-19T12:00:00.000Z"}]}`,
			[]any{alice.ID, &models.Cursor{Seq: 2}, 500},
		},
		{
			"by offset", "?since=" + offset + "2", some, 0, 200, "",
			[]any{alice.ID, &models.Cursor{Epoch: "e", UserID: alice.ID, Seq: 2}, 100},
		},
		{"everything", "", all, 2, 200, whole + lunchJSON + "," + lunchJSON + "]}", []any{alice.ID, (*models.Cursor)(nil), 100}},
		{"nothing", "?since=", all, 0, 200, whole + "]}", []any{alice.ID, (*models.Cursor)(nil), 100}},
		{"no place", "?since=lunch", some, 0, 400, refused(`"since" must be a sequence number, an offset or a valid date`), nil},
		{"no limit", "?limit=0", some, 0, 400, refused(`"limit" must be greater than or equal to 1`), nil},
		{"too much", "?limit=501", some, 0, 400, refused(`"limit" must be less than or equal to 500`), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeReconciler{page: tt.page, whole: tt.whole}
			e, api := newEcho()
			(&Sync{Reconciler: f}).Register(api, guard, guard)
			w := call(e, "GET", "/api/sync/changes"+tt.query, "")
			if tt.answer != "" {
				want(t, w, tt.code, tt.answer)
			}
			if diff := cmp.Diff(tt.asked, f.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestASnapshotOfAnyLengthTakesConstantMemory(t *testing.T) {
	e, api := newEcho()
	(&Sync{Reconciler: &fakeReconciler{page: models.LogPage{NeedsSnapshot: true}, whole: 100_000}}).Register(api, guard, guard)
	sent, allocated := measured(t, e, "/api/sync/changes")
	if sent < 100_000*len(lunchJSON) || allocated > 1<<20 {
		t.Errorf("%d bytes were allocated for an answer of %d", allocated, sent)
	}
}

// A syncCase is a request, its answer, and what the reconciler was asked for it.
type syncCase struct {
	name, method, path, body string
	code                     int
	answer                   string // "" stands for a page of a pull
	asked                    []any
}

func TestSync(t *testing.T) {
	by := models.Author{DeviceID: "phone", TokenID: "jti-1"}
	for _, tt := range []syncCase{
		{"empty batch", "POST", "/api/sync/batch", `{"operations":[]}`, 200, `{"results":[]}`, []any{alice.ID, by, 0}},
		{
			"batch", "POST", "/api/sync/batch", `{"operations":[{"action":"DELETE","resourceType":"expense","resourceId":"x","data":null,"deviceId":"d","timestamp":1}]}`, 200,
			`{"results":[{"resourceId":"x","success":true,"data":` + lunchJSON + `,"status":"deleted"}]}`,
			[]any{alice.ID, by, 1},
		},
		{
			"no batch", "POST", "/api/sync/batch", ``, 400,
			`{"error":"\"operations\" is required","message":"\"operations\" is required"}`, nil,
		},
		{"status", "GET", "/api/sync/status", "", 200, `{"lastSync":"2026-01-19T12:00:00.000Z","pendingOperations":3}`, nil},
		{"pending", "GET", "/api/sync/pending", "", 200, `[]`, nil},
		{
			"retry", "POST", "/api/sync/pending/op1/retry", `{"data":{"amount":1}}`, 200,
			`{"resourceId":"temp_1","success":false,"error":"still wrong","status":"parked"}`,
			[]any{alice.ID, by, "op1", `{"amount":1}`},
		},
		{
			"retry as it is", "POST", "/api/sync/pending/op1/retry", "", 200,
			`{"resourceId":"temp_1","success":false,"error":"still wrong","status":"parked"}`,
			[]any{alice.ID, by, "op1", ""},
		},
		{
			"retry with nonsense", "POST", "/api/sync/pending/op1/retry", `{"data":[]}`, 400,
			`{"error":"\"data\" must be of type object","message":"\"data\" must be of type object"}`, nil,
		},
		{"discard", "DELETE", "/api/sync/pending/op1", "", 200, `{"message":"Operation discarded"}`, []any{alice.ID, "op1"}},
		{"pull all", "GET", "/api/sync/pull?lastSyncTime=", "", 200, "", []any{alice.ID, time.Time{}}},
		{"pull", "GET", "/api/sync/pull?lastSyncTime=2026-01-19T12:00:00.000Z", "", 200, "", []any{alice.ID, noon}},
		{
			"pull since nonsense", "GET", "/api/sync/pull?lastSyncTime=lunch", "",
			400, `{"error":"\"lastSyncTime\" must be a valid date","message":"\"lastSyncTime\" must be a valid date"}`, nil,
		},
		{
			"delta", "POST", "/api/sync/delta", `{"changes":[{"action":"delete","id":"x"}]}`, 200,
			`{"success":[],"conflicts":[],"errors":[]}`,
			[]any{alice.ID, by, 1},
		},
		{
			"no delta", "POST", "/api/sync/delta", `{}`, 400, `{"error":"Invalid changes format","message":"Invalid changes format"}`,
			nil,
		},
	} {
		t.Run(tt.name, tt.check)
	}
}

// Parked operations are read by page, and decided about together up to the last that was seen.
func TestSyncOfAllParkedOperations(t *testing.T) {
	by := models.Author{DeviceID: "phone", TokenID: "jti-1"}
	for _, tt := range []syncCase{
		{
			"a page of pending", "GET", "/api/sync/pending?limit=1&after=5-" + lunch.ID, "", 200,
			`{"operations":[{"_id":"` + lunch.ID + `","user":"` + alice.ID + `","action":"","resourceType":"","resourceId":"","data":null,` +
				`"processed":true,"deviceId":"","createdAt":"2026-01-19T12:00:00.000Z","updatedAt":"0001-01-01T00:00:00.000Z","__v":0}],` +
				`"total":3,"next":"1768824000000-` + lunch.ID + `","last":"9-` + lunch.ID + `"}`,
			[]any{alice.ID, models.ParkedPlace{CreatedAt: 5, ID: lunch.ID}, 1},
		},
		{
			"discard all", "DELETE", "/api/sync/pending?through=9-" + lunch.ID, "", 200, `{"discarded":500,"left":2}`,
			[]any{alice.ID, models.ParkedPlace{CreatedAt: 9, ID: lunch.ID}},
		},
		{
			"discard what nobody has seen", "DELETE", "/api/sync/pending", "", 400,
			`{"error":"\"through\" must be a place in the list of pending operations","message":"\"through\" must be a place in the list of pending operations"}`,
			nil,
		},
		{
			"retry all", "POST", "/api/sync/pending/retry?through=9-" + lunch.ID, "", 200,
			`{"applied":1,"failed":2,"next":"9-` + lunch.ID + `"}`,
			[]any{alice.ID, by, models.ParkedPlace{}, models.ParkedPlace{CreatedAt: 9, ID: lunch.ID}},
		},
		{
			"retry the rest", "POST", "/api/sync/pending/retry?after=9-" + lunch.ID + "&through=9-" + lunch.ID, "", 200,
			`{"applied":1,"failed":2,"next":null}`,
			[]any{alice.ID, by, models.ParkedPlace{CreatedAt: 9, ID: lunch.ID}, models.ParkedPlace{CreatedAt: 9, ID: lunch.ID}},
		},
	} {
		t.Run(tt.name, tt.check)
	}
}

func (c syncCase) check(t *testing.T) {
	f := &fakeReconciler{}
	e, api := newEcho()
	(&Sync{Reconciler: f}).Register(api, guard, guard)
	w := call(e, c.method, c.path, c.body, "X-Device-Id", "phone")
	if c.answer != "" {
		want(t, w, c.code, c.answer)
	} else {
		wantPulled(t, w.Body.String())
	}
	if diff := cmp.Diff(c.asked, f.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// wantPulled checks what the frontend's client reads: its key, the document, the cursor.
func wantPulled(t *testing.T, answer string) {
	t.Helper()
	var got struct {
		Success    bool
		Changes    []map[string]any
		ServerTime string
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
	if !got.Success || len(got.Changes) != 2 || got.Changes[1]["id"] != lunch.ID || got.Changes[1]["_id"] != lunch.ID ||
		got.ServerTime != "2026-01-19T12:00:00.000Z" {
		t.Errorf("answer %s", answer)
	}
}

func TestTroubleOfSyncIsRetryable(t *testing.T) {
	f := &fakeReconciler{err: models.E(models.Unavailable, "Service temporarily unavailable")}
	e, api := newEcho()
	(&Sync{Reconciler: f}).Register(api, guard, guard)
	for request, body := range map[string]string{
		"POST /api/sync/batch": `{"operations":[]}`, "GET /api/sync/status": "", "GET /api/sync/pending": "",
		"POST /api/sync/pending/1/retry": "",
		"DELETE /api/sync/pending/1":     "", "GET /api/sync/pull": "", "GET /api/sync/changes": "",
		"POST /api/sync/delta": `{"changes":[]}`,
	} {
		method, path, _ := strings.Cut(request, " ")
		if w := call(e, method, path, body); w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d", request, w.Code)
		}
	}
}
