package app

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/socketio/socketiotest"
	"expenseflow/middleware"
)

const outsideMoney = "This server is at /money/: a proxy in front of it has to leave the path as it is (BASE_PATH)"

func TestWhatIsBelowTheBasePathAndWhatIsNot(t *testing.T) {
	r := start(t, "BASE_PATH=/money")
	outside := failing(outsideMoney)
	for _, tt := range []struct {
		method, path string
		code         int
		location     string
	}{
		{"GET", "/money/", 200, ""},
		{"GET", "/money/expensetracker.html", 200, ""},
		{"GET", "/money/js/app.js", 200, ""},
		{"GET", "/money/openapi.json", 200, ""},
		{"GET", "/money/socket.io/socket.io.js", 200, ""},
		{"GET", "/money/api/health", 200, ""},
		{"GET", "/money/healthz", 200, ""},
		{"OPTIONS", "/money/api/expenses", 204, ""},
		{"GET", "/healthz", 200, ""},
		{"GET", "/readyz", 200, ""},
		{"GET", "/health", 200, ""},
		{"GET", "/money", 302, "/money/"},
		{"HEAD", "/money?a=b&c", 302, "/money/?a=b&c"},
		{"POST", "/money", 404, ""},
		{"GET", "/", 404, ""},
		{"GET", "/moneybag/", 404, ""},
		{"GET", "/Money/", 404, ""},
		{"GET", "//money/", 404, ""},
		{"GET", "/%6Doney/", 404, ""},
		{"GET", "/api/health", 404, ""},
		{"GET", "/socket.io/?EIO=4&transport=polling", 404, ""},
		{"GET", "/socket.io/socket.io.js", 404, ""},
		{"OPTIONS", "/api/expenses", 404, ""},
		{"GET", "/money/money/", 404, ""},
	} {
		a := r.call(tt.method, tt.path, "", "")
		if a.code != tt.code || a.header.Get("Location") != tt.location {
			t.Errorf("%s %s: %d, to %q", tt.method, tt.path, a.code, a.header.Get("Location"))
		}
		if a.code == 404 && !strings.HasPrefix(tt.path, "/money/") {
			if strings.TrimSpace(a.body) != outside || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: %s", tt.method, tt.path, a.body)
			}
		}
	}
	if n := strings.Count(r.log.String(), "outside of BASE_PATH"); n != 1 {
		t.Errorf("the log speaks of requests outside %d times", n)
	}
}

// Every route is below the path, and, but for probes, nowhere else.
func TestEveryRouteIsBelowTheBasePath(t *testing.T) {
	r := start(t, "BASE_PATH=/money", "ADMIN_TOKEN="+adminToken)
	e := echo.New()
	r.app.api(e, components{})
	r.app.operatorRoutes(e, middleware.NoStore)
	parameter, id := regexp.MustCompile(`:\w+`), strings.Repeat("0", 24)
	for _, route := range e.Routes() {
		noMethod := route.Method == http.MethodHead || route.Method == echo.RouteNotFound
		if noMethod || strings.HasSuffix(route.Path, "*") || route.Path == "/api" {
			continue
		}
		path := parameter.ReplaceAllString(route.Path, id)
		a := r.call(route.Method, "/money"+path, "", "")
		if a.code == http.StatusNotFound && (strings.Contains(a.body, `"Cannot `) || strings.Contains(a.body, outsideMoney)) {
			t.Errorf("%s /money%s: %d %s", route.Method, path, a.code, a.body)
		}
		isProbe := path == "/healthz" || path == "/readyz" || path == "/health"
		if a := r.call(route.Method, path, "", ""); (a.code == http.StatusNotFound) == isProbe {
			t.Errorf("%s %s: %d %s", route.Method, path, a.code, a.body)
		}
	}
}

func TestSocketsBelowTheBasePath(t *testing.T) {
	r := start(t, "BASE_PATH=/money/of/ours")
	alice := r.register("alice@example.org")
	for _, polling := range []bool{true, false} {
		c, err := socketiotest.Dial(t.Context(), r.app.URL(), socketiotest.Options{Polling: polling})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if answer, err := c.Connect(fmt.Sprintf(`{"token":%q}`, alice)); err != nil || !strings.HasPrefix(answer, "40") {
			t.Errorf("polling %v: %q, %v", polling, answer, err)
		}
	}
	if _, err := socketiotest.Dial(t.Context(), r.url, socketiotest.Options{}); err == nil {
		t.Error("a socket opened outside")
	}
}

// The commands that ask the server know where it is.
func TestCommandsFindAServerBelowAPath(t *testing.T) {
	r := start(t, "BASE_PATH=/money")
	environ := []string{"HOST=127.0.0.1", "PORT=" + r.port(), "DATA_DIR=" + r.app.cfg.DataDir, "JWT_SECRET=" + testSecret}
	below := append(environ, "BASE_PATH=/money")
	if code, _, errs := run(t, t.Context(), []string{"healthcheck"}, below...); code != exitOK {
		t.Errorf("healthcheck: %d %s", code, errs)
	}
	finds(t, examine(t, below), map[string]string{
		"server": "ok: /money is ready", "polling": "ok: ", "websocket": "ok: ", "proxy": "ok: ",
	})
	finds(t, examine(t, below, "--url", r.url+"/money/"), map[string]string{"polling": "ok: ", "websocket": "ok: "})
	finds(t, examine(t, below, "--url", r.url), map[string]string{"polling": "failed: BASE_PATH is /money: give --url an address"})
	cash := r.url + "/cash"
	finds(t, examine(t, below, "--url", cash), map[string]string{"polling": "failed: BASE_PATH is /money: give --url"})
	finds(t, examine(t, environ, "--url", cash), map[string]string{"polling": "failed: set BASE_PATH=/cash if it leaves it"})
}
