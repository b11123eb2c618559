package app

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"go.uber.org/goleak"

	"expenseflow/docs"
	"expenseflow/internal/store"
	"expenseflow/middleware"
)

// TestMain fails a whole run if the document describes an answer that no test has seen.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if unseen := api.unseen(); code == 0 && wholeRun() && len(unseen) > 0 {
			fmt.Fprintln(os.Stderr, "docs/openapi.yaml has what no test saw:\n  "+strings.Join(unseen, "\n  "))
			code = 1
		}
		os.Exit(code)
	}))
}

func wholeRun() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

// A document is docs/openapi.yaml, with the answers that were seen.
type document struct {
	*openapi3.T
	router routers.Router

	mu   sync.Mutex
	seen map[string]bool
}

// api is compared with every answer that running.call gets.
var api = read(docs.OpenAPIYAML)

func read(text []byte) *document {
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		panic(err)
	}
	doc.Servers = nil // any address
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		panic(err)
	}
	return &document{T: doc, router: router, seen: map[string]bool{}}
}

// maxJudged is how large a body is compared, in bytes. Larger ones have nothing new, and
// take the race detector minutes.
const maxJudged = 256 << 10

// check compares one request and its answer with the document: the path, the status, the
// body down to its keys, and the request itself if it was accepted.
func (d *document) check(r *http.Request, body string, a answer) error {
	asked := documented(r, body)
	route, params, err := d.router.FindRoute(asked)
	if err != nil {
		if strings.Contains(a.body, `"error":"Cannot `) || !strings.HasPrefix(r.URL.Path, "/api") || r.Method == http.MethodOptions {
			return nil
		}
		return fmt.Errorf("%s %s, answered %d, is not in docs/openapi.yaml: %w", r.Method, r.URL.Path, a.code, err)
	}
	d.note(route, a.code)
	in := &openapi3filter.RequestValidationInput{
		Request: asked, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true,
			ExcludeRequestBody: len(body) > maxJudged, ExcludeResponseBody: len(a.body) > maxJudged,
		},
	}
	if err := judge(in, a); err != nil {
		return fmt.Errorf("%s %s, answered %d, is not as docs/openapi.yaml says: %w\n%.500s", r.Method, r.URL, a.code, err, a.body)
	}
	return nil
}

// documented returns the request as it is looked up: HEAD is answered like GET, and a body
// is JSON whatever its Content-Type is.
func documented(r *http.Request, body string) *http.Request {
	asked := r.Clone(r.Context())
	asked.Body = io.NopCloser(strings.NewReader(body))
	if body == "" {
		asked.Body = nil
	}
	if r.Method == http.MethodHead {
		asked.Method = http.MethodGet
	}
	asked.Header.Set("Content-Type", "application/json")
	return asked
}

func judge(in *openapi3filter.RequestValidationInput, a answer) error {
	body, err := a.decompressed()
	if err != nil {
		return err
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: a.code, Header: a.header, Options: in.Options}
	out.SetBodyBytes(body)
	ctx := in.Request.Context()
	errs := []error{openapi3filter.ValidateResponse(ctx, out)}
	if a.code < 300 {
		errs = append(errs, openapi3filter.ValidateRequest(ctx, in))
	}
	return errors.Join(errs...)
}

func (a answer) decompressed() ([]byte, error) {
	if a.header.Get("Content-Encoding") != "gzip" {
		return []byte(a.body), nil
	}
	z, err := gzip.NewReader(strings.NewReader(a.body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func (d *document) note(route *routers.Route, code int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen[place(route.Method, route.Path, fmt.Sprint(code))] = true
	if ref := route.Operation.Responses.Status(code); ref != nil && ref.Ref != "" {
		d.seen[ref.Ref] = true
	}
}

func place(method, path, code string) string { return method + " " + path + " " + code }

// unseen lists the answers of the document that were not seen: those of one operation
// there, and those that operations share on any of them.
func (d *document) unseen() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	missing := map[string]bool{}
	d.each(func(method, path string, op *openapi3.Operation) {
		for code, response := range op.Responses.Map() {
			what := place(method, path, code)
			if response.Ref != "" && !strings.HasPrefix(code, "2") {
				what = response.Ref
			}
			if !d.seen[what] {
				missing[what] = true
			}
		}
	})
	return slices.Sorted(maps.Keys(missing))
}

func (d *document) each(fn func(method, path string, op *openapi3.Operation)) {
	for path, item := range d.Paths.Map() {
		for method, op := range item.Operations() {
			fn(method, path, op)
		}
	}
}

// The document and the router have the same routes, except for HEAD.
func TestOpenAPIHasEveryRouteAndNoOther(t *testing.T) {
	e := echo.New()
	a := start(t, "ADMIN_TOKEN="+adminToken).app
	a.api(e, components{})
	a.operatorRoutes(e, middleware.NoStore)
	var routed, described []string
	for _, r := range e.Routes() {
		if r.Method != http.MethodHead && !strings.HasSuffix(r.Path, "*") && r.Path != "/api" && r.Method != echo.RouteNotFound {
			routed = append(routed, r.Method+" "+r.Path)
		}
	}
	api.each(func(method, path string, _ *openapi3.Operation) {
		described = append(described, method+" "+strings.NewReplacer("{", ":", "}", "").Replace(path))
	})
	slices.Sort(routed)
	slices.Sort(described)
	if diff := cmp.Diff(routed, described); diff != "" {
		t.Errorf("routes (-the program +docs/openapi.yaml):\n%s", diff)
	}
}

func TestTheServerShowsItsOwnDocument(t *testing.T) {
	r := start(t)
	for path, want := range map[string][]byte{"/openapi.json": docs.OpenAPIJSON, "/openapi.yaml": docs.OpenAPIYAML} {
		if a := r.call("GET", path, "", "", "Accept-Encoding", "identity"); a.code != 200 || !bytes.Equal([]byte(a.body), want) {
			t.Errorf("%s: %d %.100s", path, a.code, a.body)
		}
	}
}

// The comparison with the document does find differences.
func TestADocumentThatSaysOtherwiseIsNoticed(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	r.expense(alice)
	for name, change := range map[string][2]string{
		"a key that is not documented": {"        notes: { type: string, description: Only if it was named. }\n", ""},
		"a status that is not documented": {
			`        "200":` + "\n          description: The list",
			`        "201":` + "\n          description: The list",
		},
		"a path that is not documented": {"  /api/expenses:\n", "  /api/expense:\n"},
		"another media type": {"application/json:\n              schema:\n                oneOf:\n                  - " +
			"type: array", "text/json:\n              schema:\n                oneOf:\n                  - type: array"},
	} {
		text := strings.Replace(string(docs.OpenAPIYAML), change[0], change[1], 1)
		if text == string(docs.OpenAPIYAML) {
			t.Fatalf("%s: nothing was changed", name)
		}
		lies := read([]byte(text))
		r.call("POST", "/api/expenses", alice, `{"description":"Lunch","amount":1,"category":"food","type":"expense","notes":"with `+
			`Bob"}`)
		a := r.call("GET", "/api/expenses", alice, "")
		req, err := http.NewRequest("GET", r.url+"/api/expenses", nil)
		if err != nil {
			t.Fatal(err)
		}
		if lies.check(req, "", a) == nil {
			t.Errorf("%s goes unnoticed", name)
		}
	}
}

// Answers that only a failure of the server causes.
func TestADatabaseThatIsGoneIsUnavailable(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	if err := r.app.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, route := range []string{"GET /api/expenses", "POST /api/expenses", "POST /api/sync/batch", "GET /readyz"} {
		method, path, _ := strings.Cut(route, " ")
		if a := r.call(method, path, alice, ""); a.code != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", route, a.code, a.body)
		}
	}
}

func TestTheSameBatchTwiceAtOnceIsRefusedIfSoChosen(t *testing.T) {
	r := start(t, "SYNC_DUP_INFLIGHT=409")
	r.register("alice@example.org")
	session := r.call("POST", "/api/auth/login", "", `{"email":"alice@example.org","password":"secret"}`)
	batch := batchOf(operation("CREATE", "temp_1", lunchData))
	answers := make(chan answer, 2)
	err := r.app.store.Write(t.Context(), session.field("user", "id"), func(*store.Tx) error {
		for range cap(answers) {
			go func() { answers <- r.call("POST", "/api/sync/batch", session.field("token"), batch) }()
		}
		const text = `{"error":"Sync already in progress","message":"Sync already in progress","code":"SYNC_IN_PROGRESS"}`
		if a := <-answers; a.code != 409 || a.body != text {
			t.Errorf("while the other one waits for the user's turn: %d %s", a.code, a.body)
		}
		return nil
	})
	if a := <-answers; err != nil || a.code != 200 {
		t.Errorf("the one that waited: %d %s, %v", a.code, a.body, err)
	}
}
