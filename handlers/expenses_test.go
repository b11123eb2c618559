package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/models"
)

// fakeLedger records its calls and returns lunch or err.
type fakeLedger struct {
	asked []any
	err   error
}

func (f *fakeLedger) CreateExpense(_ context.Context, userID string, c ledger.ExpenseCreation) (models.Expense, error) {
	f.asked = append(f.asked, userID, c)
	return lunch, f.err
}

func (f *fakeLedger) UpdateExpense(
	_ context.Context, userID, id string, seen *int64, p models.Patch, by models.Author,
) (models.Expense, error) {
	f.asked = append(f.asked, userID, id, seen, p, by)
	return lunch, f.err
}

func (f *fakeLedger) DeleteExpense(_ context.Context, userID, id string, by models.Author) (models.Expense, error) {
	f.asked = append(f.asked, userID, id, by)
	return lunch, f.err
}

func (f *fakeLedger) History(_ context.Context, userID, id string, before int64, limit int) (models.History, error) {
	f.asked = append(f.asked, userID, id, before, limit)
	changed := lunch
	changed.Version, changed.Notes = 3, "with Dave"
	return models.History{
		Expense: &changed, Next: 7,
		Entries: []models.HistoryEntry{{
			Change: models.Change{
				UserID: userID, Seq: 7, Kind: models.ExpenseUpdated, EntityID: id, Expense: changed, At: noon,
				Author: models.Author{DeviceID: "d"},
			},
			Before: &models.Change{Expense: lunch}, Actor: &models.Person{ID: userID, Name: "Alice"},
		}},
	}, f.err
}

// fakeReader returns n lunches and fails after some of them.
type fakeReader struct{ n, failAfter int }

var errRead = models.E(models.Unavailable, "Service temporarily unavailable")

func (f fakeReader) EachExpense(_ context.Context, _ string, fn func(models.Expense) error) error {
	for i := range f.n {
		if f.failAfter > 0 && i == f.failAfter {
			return errRead
		}
		if err := fn(lunch); err != nil {
			return err
		}
	}
	return nil
}

func (f fakeReader) Expenses(_ context.Context, _ string, page, limit int) ([]models.Expense, int64, error) {
	return []models.Expense{{Description: fmt.Sprintf("page %d of %d", page, limit)}}, int64(f.n), nil
}

func TestList(t *testing.T) {
	pageOf := func(page, limit int) string {
		return strings.NewReplacer("64b0000000000000000000e1", "", alice.ID, "", "Lunch", fmt.Sprintf("page %d of %d", page, limit),
			"12.345", "0",
			`"food"`, `""`, `"expense"`, `""`, "2026-01-19T12", "0001-01-01T00", `"day":"2026-01-19"`, `"day":"1970-01-01"`,
			`"version":2`, `"version":0`).Replace(lunchJSON)
	}
	tests := []struct {
		name   string
		format ListFormat
		query  string
		n      int
		want   string
	}{
		{"nothing", ListAuto, "", 0, "[]"},
		{"bare array", ListAuto, "", 2, "[" + lunchJSON + "," + lunchJSON + "]"},
		{"page", ListAuto, "?page=2&limit=1", 3, `{"success":true,"data":[` + pageOf(2, 1) +
			`],"pagination":{"total":3,"page":2,"limit":1,"pages":3}}`},
		{"limit alone", ListAuto, "?limit=20", 3, `{"success":true,"data":[` + pageOf(1, 20) +
			`],"pagination":{"total":3,"page":1,"limit":20,"pages":1}}`},
		{"nonsense", ListAuto, "?page=-1&limit=all", 3, `{"success":true,"data":[` + pageOf(1, 50) +
			`],"pagination":{"total":3,"page":1,"limit":50,"pages":1}}`},
		{"too much", ListAuto, "?limit=99999999", 3, `{"success":true,"data":[` + pageOf(1, 1000) +
			`],"pagination":{"total":3,"page":1,"limit":1000,"pages":1}}`},
		{"always an array", ListArray, "?page=1", 3, "[" + pageOf(1, 50) + "]"},
		{"always wrapped", ListWrapped, "", 2, `{"success":true,"data":[` + lunchJSON + "," + lunchJSON +
			`],"pagination":{"total":2,"page":1,"limit":2,"pages":1}}`},
		{"wrapped nothing", ListWrapped, "", 0, `{"success":true,"data":[],"pagination":{"total":0,"page":1,"limit":1,"pages":0}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, api := newEcho()
			(&Expenses{Reader: fakeReader{n: tt.n}, List: tt.format}).Register(api, guard...)
			want(t, call(e, "GET", "/api/expenses"+tt.query, ""), 200, tt.want)
		})
	}
}

// Every page of the original gets the form that it expects (docs/compatibility.md): wrapped
// with page or limit, an array for a GET with a JSON Content-Type, else the form of the
// frontend's script.
func TestListHasTheFormThatTheRequestReads(t *testing.T) {
	forms := map[ListFormat]string{ListAuto: "array", ListAutoWrapped: "wrapped", ListArray: "array", ListWrapped: "wrapped"}
	for format, plain := range forms {
		automatic := format == ListAuto || format == ListAutoWrapped
		for _, tt := range []struct{ query, contentType, auto string }{
			{"", "", plain},
			{"", "application/json", "array"},
			{"", "Application/JSON; charset=utf-8", "array"},
			{"", "text/plain", plain},
			{"", "application/json;;", plain},
			{"?category=food", "", plain},
			{"?page=1", "", "wrapped"},
			{"?limit=50", "", "wrapped"},
			{"?page=1&limit=50", "application/json", "wrapped"},
		} {
			e, api := newEcho()
			(&Expenses{Reader: fakeReader{n: 1}, List: format}).Register(api, guard...)
			body := call(e, "GET", "/api/expenses"+tt.query, "", "Content-Type", tt.contentType).Body.String()
			wanted := plain
			if automatic {
				wanted = tt.auto
			}
			if got := map[bool]string{true: "wrapped", false: "array"}[strings.HasPrefix(body,
				`{"success":true,"data":[`)]; got != wanted || got == "array" && !strings.HasPrefix(body, "[") {
				t.Errorf("%s, %q, %q: %s, want %s", format, tt.query, tt.contentType, body, wanted)
			}
		}
	}
}

func TestListThatFailsAtOnceIsAnError(t *testing.T) {
	e, api := newEcho()
	(&Expenses{Reader: fakeReader{n: 5, failAfter: 3}}).Register(api, guard...)
	w := call(e, "GET", "/api/expenses", "")
	want(t, w, 503, `{"error":"Service temporarily unavailable","message":"Service temporarily unavailable"}`)
}

// counter is a response writer that counts bytes and discards them.
type counter struct {
	header http.Header
	bytes  int
}

func (c *counter) Header() http.Header         { return c.header }
func (c *counter) WriteHeader(int)             {}
func (c *counter) Write(b []byte) (int, error) { c.bytes += len(b); return len(b), nil }

func TestAHundredThousandRowsTakeConstantMemory(t *testing.T) {
	e, api := newEcho()
	(&Expenses{Reader: fakeReader{n: 100_000}}).Register(api, guard...)
	sent, allocated := measured(t, e, "/api/expenses")
	if want := 100_000*(len(lunchJSON)+1) + 1; sent != want {
		t.Errorf("%d bytes, want %d", sent, want)
	}
	if allocated > 1<<20 {
		t.Errorf("%d bytes were allocated for an answer of %d", allocated, sent)
	}
}

// measured returns the size of a response and the bytes allocated for it.
func measured(t *testing.T, h http.Handler, path string) (sent int, allocated uint64) {
	t.Helper()
	r, err := http.NewRequest("GET", path, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &counter{header: http.Header{}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	h.ServeHTTP(w, r)
	runtime.ReadMemStats(&after)
	return w.bytes, after.TotalAlloc - before.TotalAlloc
}

func TestCreateSaysWhoseDeviceItWas(t *testing.T) {
	draft := models.Draft{Description: "Lunch", Amount: 12_345_000, Category: "food", Type: "expense"}
	for _, tt := range []struct{ name, body, header, device string }{
		{"in the body", `,"deviceId":"device_1"`, "device_2", "device_1"},
		{"in the header", "", "device_2", "device_2"},
		{"nowhere", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeLedger{}
			e, api := newEcho()
			(&Expenses{Ledger: f}).Register(api, guard...)
			w := call(e, "POST", "/api/expenses", `{"description":"Lunch","amount":12.345,"category":"food","type":"expense"`+tt.body+`}`,
				"X-Device-Id", tt.header)
			want(t, w, 201, lunchJSON)
			asked := []any{alice.ID, ledger.ExpenseCreation{
				Draft: draft, Author: models.Author{DeviceID: tt.device, TokenID: "jti-1"},
				Posted: true,
			}}
			if diff := cmp.Diff(asked, f.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCreateHandsOnTheNamesOfItsRequest(t *testing.T) {
	f := &fakeLedger{}
	e, api := newEcho()
	(&Expenses{Ledger: f}).Register(api, guard...)
	body := `{"description":"Lunch","amount":12.345,"category":"food","type":"expense","clientId":"c1"}`
	want(t, call(e, "POST", "/api/expenses", body, "Idempotency-Key", "k1"), 201, lunchJSON)
	if got := f.asked[1].(ledger.ExpenseCreation); got.RequestID != "k1" || got.ClientID != "c1" {
		t.Errorf("asked %+v", got)
	}
	w := call(e, "POST", "/api/expenses", body, "Idempotency-Key", strings.Repeat("k", 257))
	text := `\"Idempotency-Key\" length must be less than or equal to 256 characters long`
	want(t, w, 400, `{"error":"`+text+`","message":"`+text+`"}`)
}

func TestBadExpensesNeverReachTheLedger(t *testing.T) {
	f := &fakeLedger{err: errors.New("it was asked")}
	e, api := newEcho()
	(&Expenses{Ledger: f}).Register(api, guard...)
	const good = `{"description":"Lunch","amount":1,"category":"food","type":"expense"}`
	for _, tt := range []struct{ method, path, body, header, text string }{
		{"POST", "/api/expenses", "", "", `"description" is required`},
		{"POST", "/api/expenses", "{", "", "Malformed JSON"},
		{"POST", "/api/expenses", "[]", "", `"value" must be of type object`},
		{"PUT", "/api/expenses/1", `{"amount":1}`, "", `"description" is required`},
		{
			"POST", "/api/expenses", good, strings.Repeat("x", 257),
			`"X-Device-Id" length must be less than or equal to 256 characters long`,
		},
		{
			"PUT", "/api/expenses/1", good, strings.Repeat("x", 257),
			`"X-Device-Id" length must be less than or equal to 256 characters long`,
		},
		{
			"DELETE", "/api/expenses/1", "", strings.Repeat("x", 257),
			`"X-Device-Id" length must be less than or equal to 256 characters long`,
		},
		{"DELETE", "/api/expenses/1", "{", "", "Malformed JSON"},
	} {
		w := call(e, tt.method, tt.path, tt.body, "X-Device-Id", tt.header)
		quoted := strings.ReplaceAll(tt.text, `"`, `\"`)
		want(t, w, 400, fmt.Sprintf(`{"error":"%s","message":"%s"}`, quoted, quoted))
	}
}

func TestUpdateAndDelete(t *testing.T) {
	f := &fakeLedger{}
	e, api := newEcho()
	(&Expenses{Ledger: f}).Register(api, guard...)
	want(t, call(e, "PUT", "/api/expenses/temp_1", `{"description":"Lunch","amount":1,"category":"food","type":"expense","version":1,"deviceId":"d"}`), 200, lunchJSON)
	want(t, call(e, "DELETE", "/api/expenses/abc", `{"deviceId":"d"}`), 200, `{"message":"Expense deleted"}`)
	want(t, call(e, "DELETE", "/api/expenses/abc", ""), 200, `{"message":"Expense deleted"}`)

	p := func(s string) *string { return &s }
	version, amount := int64(1), models.Money(1_000_000)
	by := models.Author{DeviceID: "d", TokenID: "jti-1"}
	asked := []any{
		alice.ID, "temp_1", &version,
		models.Patch{Description: p("Lunch"), Amount: &amount, Category: p("food"), Type: p("expense")},
		by,
		alice.ID, "abc", by,
		alice.ID, "abc",
		models.Author{TokenID: "jti-1"},
	}
	if diff := cmp.Diff(asked, f.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	f.err = models.E(models.NotFound, "Expense not found")
	want(t, call(e, "DELETE", "/api/expenses/abc", ""), 404, `{"error":"Expense not found","message":"Expense not found"}`)
}

func TestAHistoryIsReadInPages(t *testing.T) {
	f := &fakeLedger{}
	e, api := newEcho()
	(&Expenses{Ledger: f}).Register(api, guard...)
	now := strings.NewReplacer(`"currency"`, `"notes":"with Dave","currency"`).Replace(lunchJSON)
	now = strings.Replace(now, `"createdAt"`, `"notes":"with Dave","createdAt"`, 1)
	now = strings.Replace(now, `"version":2`, `"version":3`, 1)
	answer := `{"expenseId":"abc","expense":` + now + `,"entries":[{"seq":7,"action":"updated","at":"2026-01-19T12:00:00.000Z",` +
		`"by":{"id":"` + alice.ID + `","name":"Alice"},"deviceId":"d","version":3,` +
		`"changes":[{"field":"notes","from":null,"to":"with Dave"}]}],"next":"7","complete":false}`
	want(t, call(e, "GET", "/api/expenses/abc/history", ""), 200, answer)
	want(t, call(e, "GET", "/api/expenses/abc/history?before=7&limit=100", ""), 200, answer)
	if diff := cmp.Diff([]any{alice.ID, "abc", int64(0), 20, alice.ID, "abc", int64(7), 100}, f.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	for _, query := range []string{
		"before=0", "before=-1", "before=1.5", "before=lunch", "before=9999999999999999999999", "limit=0", "limit=101", "limit=all",
	} {
		if w := call(e, "GET", "/api/expenses/abc/history?"+query, ""); w.Code != 400 {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

// recorder records the status and the body of a response.
type recorder struct {
	counter
	code int
	body []byte
}

func (r *recorder) WriteHeader(code int) { r.code = code }
func (r *recorder) Write(b []byte) (int, error) {
	r.body = append(r.body, b...)
	return len(b), nil
}

// newRequest returns a GET request of a raw path; nil if it is invalid.
func newRequest(path string) *http.Request {
	r, err := http.NewRequest(http.MethodGet, "http://x/", nil)
	if err != nil || !strings.HasPrefix(path, "/") {
		return nil
	}
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return nil
	}
	r.URL = u
	return r
}
