package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func names(calls []call) []string {
	var out []string
	for _, c := range calls {
		name := c.method + " " + c.path
		if c.query != "" {
			name += "?" + c.query
		}
		out = append(out, name)
	}
	return out
}

// The page of our own is asked as any checkout is.
func TestEveryCallOfAFrontendIsFound(t *testing.T) {
	calls, err := frontendCalls(os.DirFS(filepath.Join("..", "testdata", "checkout")))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PUT /api/currency/preference", "GET /api/expenses?page=1&limit=50", "GET /api/workspaces",
	}
	if diff := cmp.Diff(want, filter(names(calls), want)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// filter returns what of got is in want, in got's order.
func filter(got, want []string) []string {
	var out []string
	for _, g := range got {
		for _, w := range want {
			if g == w {
				out = append(out, g)
			}
		}
	}
	return out
}

func TestAnAddressIsPutTogether(t *testing.T) {
	scripts := map[string][]string{
		"const API = 'http://localhost:3000/api';\nfetch(`${API}/goals/${goal._id}`, { method: 'delete' })": {
			"DELETE /api/goals/:_id",
		},
		"var GOALS_URL = '/api/goals'; fetch(GOALS_URL, { headers: await h(), method: \"POST\" })": {"POST /api/goals"},
		"this.apiUrl = '/api'; fetch(`${this.apiUrl}/budgets?active=true`)":                        {"GET /api/budgets?active=true"},
		"let url = `/api/expenses?page=${page}`; if (ws) url += `&workspaceId=${ws}`; fetch(url, {})": {
			"GET /api/expenses?page=:page",
		},
		"fetch(\n '/api/categorization/suggest?description=' )": {
			"GET /api/categorization/suggest?description=",
		},
		"fetch('https://example.test/api/x'); fetch(event.request); fetch(`/assets/${name}`)": nil,
		"this.base = '/api/reports';\n  async call(end, o) {\n fetch(`${this.base}${end}`, o) }\n this.call('/x')": {
			"GET /api/reports/x",
		},
	}
	for script, want := range scripts {
		if diff := cmp.Diff(want, names(callsIn("page.js", script))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", script, diff)
		}
	}
}

// original is a checkout of two routes, of which the frontend calls one.
func original() fstest.MapFS {
	return fstest.MapFS{
		"server.js": {Data: []byte("const goals = require('./routes/goals');\napp.use('/api/goals', limit, " +
			"goals);\napp.use('/api/old', require('./routes/gone'));\n")},
		"routes/goals.js": {Data: []byte("router.get('/summary', auth, f);\nrouter.put('/:id', f);\n")},
		"models/goal.js":  {Data: []byte("fetch('/api/never')")},
		"page.js":         {Data: []byte("fetch('/api/goals/summary');\nfetch('/api/goals/summary/x');\n")},
	}
}

func TestRoutesOfTheOriginalAreFoundAndMatched(t *testing.T) {
	routes, err := originalRoutes(original())
	if err != nil {
		t.Fatal(err)
	}
	for c, want := range map[call]string{
		{method: "GET", path: "/api/goals/summary"}: "routes/goals.js:1",
		{method: "PUT", path: "/api/goals/:goalId"}: "routes/goals.js:2",
		{method: "PUT", path: "/api/goals"}:         "",
		{method: "GET", path: "/api/goals/:what"}:   "",
	} {
		if r, _ := answering(routes, c); r.where != want {
			t.Errorf("%s %s is answered by %q, want %q", c.method, c.path, r.where, want)
		}
	}
}

// server answers what an expenseflow of one route would.
func server(t *testing.T, known string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/auth/register":
			_ = json.NewEncoder(w).Encode(map[string]string{"token": "t"})
		case known:
			w.WriteHeader(http.StatusNotImplemented)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "Not built"})
		default:
			w.WriteHeader(http.StatusNotFound)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "Cannot " + r.Method + " " + r.URL.Path})
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestACallThatOnlyTheOriginalAnswersIsMissing(t *testing.T) {
	for known, want := range map[string]int{"/api/goals/summary": 0, "/api/other": 1} {
		c, err := newClient(t.Context(), server(t, known).URL)
		if err != nil {
			t.Fatal(err)
		}
		calls, _ := frontendCalls(original())
		routes, _ := originalRoutes(original())
		rows := compare(t.Context(), c, calls, routes)
		if got := missing(rows); got != want {
			t.Errorf("with %s: %d calls are missing, want %d", known, got, want)
		}
		var table strings.Builder
		if err := printTable(&table, rows); err != nil || !strings.Contains(table.String(), "| 404, no route |") {
			t.Errorf("table: %v\n%s", err, table.String())
		}
	}
}

func TestAnotherMachineIsNeverAsked(t *testing.T) {
	for address, want := range map[string]bool{
		"http://localhost:3000": true, "http://127.0.0.1:8": true, "http://[::1]:8": true,
		"http://example.test": false, "http://10.0.0.1": false,
	} {
		if err := onThisMachine(address); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}
