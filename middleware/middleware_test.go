package middleware

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/labstack/echo/v4"
	"go.uber.org/goleak"

	"expenseflow/internal/auth"
	"expenseflow/internal/failure"
	"expenseflow/internal/observe"
	"expenseflow/internal/origin"
	"expenseflow/internal/trace"
	"expenseflow/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newEcho returns an Echo that encodes errors by kind and message.
func newEcho(mw ...echo.MiddlewareFunc) *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if !c.Response().Committed {
			_ = c.String(500+int(models.KindOf(err)), models.Message(err))
		}
	}
	e.Use(mw...)
	return e
}

func do(h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func ok(c echo.Context) error { return c.String(http.StatusOK, "fine") }

func code(k models.Kind) int { return 500 + int(k) }

func TestEachRequestHasAnID(t *testing.T) {
	var seen trace.Context
	h := RequestID(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if seen = trace.From(r.Context()); r.Header.Get(HeaderRequestID) != seen.RequestID {
			t.Errorf("another process would see %q", r.Header.Get(HeaderRequestID))
		}
	}))
	first, second := do(h, "GET", "/").Header().Get(HeaderRequestID), do(h, "GET", "/").Header().Get(HeaderRequestID)
	if first == "" || first == second {
		t.Errorf("ids %q and %q", first, second)
	}
	const traceID, spanID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	w := do(h, "GET", "/", HeaderRequestID, "proxy-7", "traceparent", "00-"+traceID+"-"+spanID+"-01")
	want := trace.Context{RequestID: "proxy-7", TraceID: traceID, SpanID: spanID}
	if got := w.Header().Get(HeaderRequestID); got != "proxy-7" || seen != want {
		t.Errorf("answered %q, seen %+v", got, seen)
	}
	if got := do(h, "GET", "/", HeaderRequestID, "with space").Header().Get(HeaderRequestID); got == "with space" {
		t.Error("an id with a space was kept")
	}
}

func TestNobodyKeepsAnswersOfTheAPI(t *testing.T) {
	e := newEcho(NoStore)
	e.GET("/", ok)
	h := do(e, "GET", "/").Header()
	if h.Get("Vary") != "*" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", h)
	}
}

func TestPanicIsAnswered500AndTheStackIsTheErrors(t *testing.T) {
	var seen error
	e := newEcho(AccessLog(slog.New(slog.DiscardHandler), failure.New(slog.New(slog.DiscardHandler)), nil, false))
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		seen = err
		_ = c.NoContent(http.StatusInternalServerError)
	}
	e.GET("/", func(echo.Context) error { panic("oh") })
	if w := do(e, "GET", "/"); w.Code != 500 {
		t.Errorf("status %d", w.Code)
	}
	if seen == nil || !strings.Contains(seen.Error(), "oh") || !strings.Contains(seen.Error(), "middleware_test.go") {
		t.Errorf("error %v", seen)
	}
}

func TestFailureInTheMiddleCutsTheConnection(t *testing.T) {
	e := newEcho(AccessLog(slog.New(slog.DiscardHandler), failure.New(slog.New(slog.DiscardHandler)), nil, false))
	e.GET("/", func(c echo.Context) error {
		_, _ = c.Response().Write(bytes.Repeat([]byte("x"), 100_000))
		return errors.New("the database went away")
	})
	srv := httptest.NewUnstartedServer(e)
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.Start()
	defer srv.Close()
	res, err := srv.Client().Get(srv.URL)
	if err != nil {
		return // cut before the header: as good
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("half an answer was taken for a whole one")
	}
}

func TestPanicBesideEchoIsLoggedAndCutsOneConnection(t *testing.T) {
	for _, tt := range []struct {
		value any
		lines int
	}{{"oh", 1}, {http.ErrAbortHandler, 0}} {
		var out bytes.Buffer
		h := Recover(slog.New(slog.NewTextHandler(&out, nil)))(http.HandlerFunc(func(http.ResponseWriter,
			*http.Request,
		) {
			panic(tt.value)
		}))
		func() {
			defer func() {
				if diff := cmp.Diff(any(http.ErrAbortHandler), recover(), cmpopts.EquateErrors()); diff != "" {
					t.Errorf("%v: the server sees %s", tt.value, diff)
				}
			}()
			do(h, "GET", "/")
		}()
		if got := strings.Count(out.String(), "level=ERROR"); got != tt.lines {
			t.Errorf("%v: logged %s", tt.value, out.String())
		}
	}
}

func TestLogLineNamesTheRouteAndNoSecret(t *testing.T) {
	var out bytes.Buffer
	m := observe.NewMetrics()
	log := slog.New(trace.Handler(slog.NewTextHandler(&out, nil)))
	e := newEcho(AccessLog(log, failure.New(log), m, true), Authenticate(staticAuth{}, 0))
	e.GET("/api/expenses/:id", func(echo.Context) error {
		return &models.Error{Kind: models.Invalid, Msg: "no lunch", Code: "TEST"}
	})
	do(RequestID(e), "GET", "/api/expenses/64b000000000000000000009?token=hunter2",
		"Authorization", "Bearer good", HeaderRequestID, "r1")
	line := out.String()
	for _, want := range []string{
		"level=WARN", "route=/api/expenses/:id", "status=501", "request_id=r1", "user_id=" + alice.ID,
		"code=TEST", "ip=192.0.2.1",
	} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	for _, secret := range []string{"hunter2", "good", "lunch", "64b000000000000000000009"} {
		if strings.Contains(line, secret) {
			t.Errorf("%s is in %s", secret, line)
		}
	}
	w := httptest.NewRecorder()
	m.Handler("").ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`route="/api/expenses/:id",status="501"} 1`, `http_errors_total{code="TEST",route="/api/expenses/:id"} 1`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s among the metrics", want)
		}
	}
}

func TestEachRequestIsLoggedOnce(t *testing.T) {
	limit := &models.Error{Kind: models.TooMany, Code: "RATE_LIMITED", Setting: "RATE_LIMIT"}
	for _, tt := range []struct {
		name        string
		err         error
		with, quiet string // with and without an access log; "" is no line
	}{
		{"a success", nil, "level=INFO", ""},
		{"the client's mistake", models.E(models.Invalid, "yours"), "level=WARN code=INVALID", ""},
		{"an unknown route", echo.ErrMethodNotAllowed, "level=WARN code=NOT_FOUND", ""},
		{"a limit", limit, "level=WARN code=RATE_LIMITED setting=RATE_LIMIT", "level=WARN setting=RATE_LIMIT"},
		{"our trouble", fmt.Errorf("read: %w", errors.New("disk on fire")), "level=ERROR code=INTERNAL fire", "level=ERROR fire"},
	} {
		for access, want := range map[bool]string{true: tt.with, false: tt.quiet} {
			var out strings.Builder
			log := slog.New(slog.NewTextHandler(&out, nil))
			e := newEcho(AccessLog(log, failure.New(log), nil, access))
			e.GET("/", func(c echo.Context) error {
				if tt.err != nil {
					return tt.err
				}
				return c.NoContent(http.StatusOK)
			})
			do(e, "GET", "/")
			if lines := strings.Count(out.String(), "\n"); lines != min(1, len(want)) {
				t.Errorf("%s: %d lines", tt.name, lines)
			}
			for _, part := range strings.Fields(want) {
				if !strings.Contains(out.String(), part) {
					t.Errorf("%s: no %s in %s", tt.name, part, out.String())
				}
			}
		}
	}
}

// A balancer asks every second; a line for each would hide the others.
func TestProbesAreLoggedIfTheyFail(t *testing.T) {
	var out bytes.Buffer
	status := http.StatusOK
	log := slog.New(slog.NewTextHandler(&out, nil))
	e := newEcho(AccessLog(log, failure.New(log), nil, true))
	e.GET("/readyz", func(c echo.Context) error { return c.NoContent(status) })
	do(e, "GET", "/readyz")
	if out.Len() != 0 {
		t.Errorf("a success was logged: %s", out.String())
	}
	status = http.StatusServiceUnavailable
	do(e, "GET", "/readyz")
	if !strings.Contains(out.String(), "route=/readyz status=503") {
		t.Errorf("a failure was logged as %q", out.String())
	}
}

func TestCORS(t *testing.T) {
	listed := []string{"https://money.example"}
	exposed := []string{"X-Request-Id,Retry-After,RateLimit-Policy,RateLimit"}
	tests := []struct {
		name    string
		origins []string
		method  string
		headers []string
		status  int
		want    http.Header
	}{
		{"any origin", nil, "GET", []string{"Origin", "https://a.example"}, 200, http.Header{
			"Access-Control-Allow-Origin": {"*"}, "Access-Control-Expose-Headers": exposed,
		}},
		{"preflight of the original", nil, "OPTIONS", []string{
			"Origin", "null", "Access-Control-Request-Method", "DELETE",
			"Access-Control-Request-Headers", "authorization,content-type",
		}, 204, http.Header{
			"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Methods": {"GET,HEAD,PUT,PATCH,POST,DELETE"},
			"Access-Control-Allow-Headers": {"authorization,content-type"}, "Vary": {"Access-Control-Request-Headers"},
			"Content-Length": {"0"},
		}},
		{"listed origin", listed, "GET", []string{"Origin", "https://money.example"}, 200, http.Header{
			"Access-Control-Allow-Origin": {"https://money.example"}, "Access-Control-Allow-Credentials": {"true"}, "Vary": {"Origin"},
			"Access-Control-Expose-Headers": exposed,
		}},
		{"another origin", listed, "GET", []string{"Origin", "https://evil.example"}, 200, http.Header{"Vary": {"Origin"}}},
		{"no origin", listed, "GET", nil, 200, http.Header{"Vary": {"Origin"}}},
		{
			"preflight of another origin", listed, "OPTIONS",
			[]string{"Origin", "https://evil.example", "Access-Control-Request-Headers", "authorization"},
			204,
			http.Header{
				"Vary": {"Origin", "Access-Control-Request-Headers"}, "Content-Length": {"0"},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEcho(CORS(origin.New(tt.origins, false, slog.New(slog.DiscardHandler))))
			e.GET("/", ok)
			w := do(e, tt.method, "/", tt.headers...)
			w.Header().Del("Content-Type")
			if diff := cmp.Diff(tt.want, w.Header()); w.Code != tt.status || diff != "" {
				t.Errorf("status %d, want %d; headers (-want +got):\n%s", w.Code, tt.status, diff)
			}
		})
	}
}

var alice = models.User{ID: "64b000000000000000000001"}

// staticAuth accepts the token "good", and "late" with a grace period.
type staticAuth struct{}

func (staticAuth) AuthenticateRequest(_ context.Context, h http.Header, grace time.Duration) (auth.Identity, error) {
	switch auth.Token(h.Get("Authorization")) {
	case "good":
		return auth.Identity{User: alice, Claims: auth.Claims{Key: "k1"}}, nil
	case "late":
		if grace > 0 {
			return auth.Identity{User: alice, Claims: auth.Claims{Key: "k2"}}, nil
		}
	case "down":
		return auth.Identity{}, models.E(models.Unavailable, "Service temporarily unavailable")
	}
	return auth.Identity{}, models.E(models.Unauthorized, "Invalid token.")
}

func TestBearer(t *testing.T) {
	e := newEcho()
	who := func(c echo.Context) error {
		id, _ := auth.FromContext(c.Request().Context())
		return c.String(http.StatusOK, id.User.ID)
	}
	e.GET("/", who, Authenticate(staticAuth{}, 0))
	e.GET("/sync", who, Authenticate(staticAuth{}, time.Hour))
	for _, tt := range []struct {
		path, header string
		want         int
	}{
		{"/", "Bearer good", 200},
		{"/", "good", 200},
		{"/", "", code(models.Unauthorized)},
		{"/", "late", code(models.Unauthorized)},
		{"/sync", "late", 200},
		{"/", "down", code(models.Unavailable)},
	} {
		if w := do(e, "GET", tt.path, "Authorization", tt.header); w.Code != tt.want || (w.Code == 200 && w.Body.String() != alice.ID) {
			t.Errorf("%s with %q: %d %s, want %d", tt.path, tt.header, w.Code, w.Body, tt.want)
		}
	}
}

// unread is a body that fails the test when it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestABadTokenIsAnsweredBeforeTheBodyIsRead(t *testing.T) {
	e := newEcho()
	e.POST("/", ok, Authenticate(staticAuth{}, 0), LimitBody(MaxSyncBody, MaxBodyTime, NewBodyMemory()))
	r := httptest.NewRequest("POST", "/", unread{t})
	r.ContentLength = MaxSyncBody + 1
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if w.Code != code(models.Unauthorized) {
		t.Errorf("status %d", w.Code)
	}
}

func TestBodySizes(t *testing.T) {
	e := newEcho()
	e.POST("/", func(c echo.Context) error {
		b, err := io.ReadAll(c.Request().Body)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		return c.String(http.StatusOK, fmt.Sprint(len(b)))
	}, LimitBody(1000, MaxBodyTime, NewBodyMemory()))
	srv := httptest.NewServer(e)
	defer srv.Close()
	for _, tt := range []struct {
		name string
		body io.Reader
		want int
	}{
		{"none", nil, 200},
		{"full", strings.NewReader(strings.Repeat("x", 1000)), 200},
		{"one too many", strings.NewReader(strings.Repeat("x", 1001)), code(models.TooLarge)},
		{"far too many", strings.NewReader(strings.Repeat("x", 5_000_000)), code(models.TooLarge)},
		{"too many without saying so", io.MultiReader(strings.NewReader(strings.Repeat("x", 5000))), code(models.TooLarge)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := srv.Client().Post(srv.URL, "application/json", tt.body)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != tt.want {
				t.Errorf("status %d, want %d", res.StatusCode, tt.want)
			}
		})
	}
}

func TestLimiterOpensAgainAfterItsWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter("test", 2, time.Minute)
		take := func(key string, want time.Duration) {
			t.Helper()
			if wait, ok := l.Take(key); ok != (want == 0) || wait != want {
				t.Errorf("Take(%s) = %v, %v; want a wait of %v", key, wait, ok, want)
			}
		}
		take("a", 0)
		time.Sleep(10 * time.Second)
		take("a", 0)
		take("a", 50*time.Second)
		take("b", 0)
		if _, ok := l.Peek("b"); !ok {
			t.Error("Peek counted")
		}
		time.Sleep(50 * time.Second)
		take("a", 0)
	})
}

func TestNoLimitIsNoLimit(t *testing.T) {
	l := NewLimiter("test", 0, 0)
	for range 1000 {
		if _, ok := l.Take("a"); !ok {
			t.Fatal("refused")
		}
	}
	if len(l.windows) != 0 {
		t.Error("it remembers nevertheless")
	}
}

func TestAnswersTellWhatIsLeftOfALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEcho(Authenticate(staticAuth{}, time.Hour))
		users := NewLimiter("user", 3, 15*time.Minute).DecidedBy("RATE_LIMIT")
		e.GET("/", ok, PerUser(users, NewLimiter("address", 4, time.Minute), nil))
		answer := func() (policy, limit string) {
			h := do(e, "GET", "/", "Authorization", "Bearer good").Header()
			return h.Get(HeaderRateLimitPolicy), h.Get(HeaderRateLimit)
		}
		for i, want := range []string{`"user";r=2;t=900`, `"user";r=1;t=900`, `"user";r=0;t=900`, `"user";r=0;t=900`} {
			if policy, limit := answer(); policy != `"user";q=3;w=900` || limit != want {
				t.Errorf("%d: %s and %s", i, policy, limit)
			}
		}
		time.Sleep(15*time.Minute - time.Nanosecond)
		if _, limit := answer(); limit != `"user";r=0;t=1` {
			t.Errorf("at the end of the window: %s", limit)
		}
		time.Sleep(time.Nanosecond)
		for range 3 {
			answer()
		}
		users.n = 99
		answer() // the fourth of this address
		if policy, limit := answer(); policy != `"address";q=4;w=60` || limit != `"address";r=0;t=60` {
			t.Errorf("refused by another limit: %s and %s", policy, limit)
		}
	})
}

func TestLimiterMemoryIsBounded(t *testing.T) {
	l := NewLimiter("test", 5, time.Hour)
	for i := range maxWindows + 1000 {
		l.Take(fmt.Sprint(i))
	}
	if len(l.windows) > maxWindows {
		t.Errorf("%d windows", len(l.windows))
	}
}

func TestLimits(t *testing.T) {
	e := newEcho()
	failures := NewLimiter("test", 2, time.Minute)
	answer := ok
	e.POST("/login", func(c echo.Context) error { return answer(c) }, FailuresPerVisitor(failures, Network, nil))
	e.GET("/any", ok, PerAddress(NewLimiter("test", 3, time.Minute), nil))
	e.GET("/sync", ok, Authenticate(staticAuth{}, time.Hour), PerToken(NewLimiter("test", 1, time.Minute), nil))

	for range 10 {
		if w := do(e, "POST", "/login"); w.Code != 200 {
			t.Fatalf("a good sign-in was counted: %d", w.Code)
		}
	}
	answer = func(echo.Context) error { return models.E(models.Unavailable, "busy") }
	for range 10 {
		do(e, "POST", "/login")
	}
	answer = func(echo.Context) error { return models.E(models.Unauthorized, "Invalid token.") }
	for range 2 {
		if w := do(e, "POST", "/login"); w.Code != code(models.Unauthorized) {
			t.Fatalf("a failed sign-in: %d", w.Code)
		}
	}
	if w := do(e, "POST", "/login"); w.Code != code(models.TooMany) {
		t.Errorf("after two failures: %d", w.Code)
	}
	for i := range 4 {
		if w := do(e, "GET", "/any"); (w.Code == 200) != (i < 3) {
			t.Errorf("request %d: %d", i, w.Code)
		}
	}
	if do(e, "GET", "/sync", "Authorization", "good").Code != 200 || do(e, "GET", "/sync", "Authorization", "late").Code != 200 {
		t.Error("two tokens share a limit")
	}
	if w := do(e, "GET", "/sync", "Authorization", "good"); w.Code != code(models.TooMany) {
		t.Errorf("a token's second batch: %d", w.Code)
	}
}

func TestHouseholdsCountByNetwork(t *testing.T) {
	for ip, want := range map[string]string{"192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64"} {
		if got := networkOf(netip.MustParseAddr(ip)); got != want {
			t.Errorf("network(%s) = %s, want %s", ip, got, want)
		}
	}
}

func TestRealIP(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	tests := []struct{ name, peer, header, want, proto string }{
		{"no proxy", "192.0.2.1:99", "", "192.0.2.1", ""},
		{"a liar", "192.0.2.1:99", "10.9.9.9", "192.0.2.1", ""},
		{"our proxy", "10.0.0.1:99", "192.0.2.7", "192.0.2.7", "https"},
		{"our proxy behind another of ours", "10.0.0.1:99", "198.51.100.1, 192.0.2.7, 10.0.0.2", "192.0.2.7", "https"},
		{"our proxy without a word", "10.0.0.1:99", "", "10.0.0.1", "https"},
		{"garbage", "10.0.0.1:99", "192.0.2.7, <script>", "10.0.0.1", "https"},
		{"IPv6 with port", "[::1]:99", "[2001:db8::7]:4711", "2001:db8::7", "https"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:99", "::ffff:192.0.2.7", "192.0.2.7", "https"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got, proto string
			h := RealIP(trusted, slog.New(slog.DiscardHandler))(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got, proto = clientIP(r).String(), r.Header.Get("X-Forwarded-Proto")
			}))
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tt.peer
			r.Header.Set("X-Forwarded-Proto", "https")
			if tt.header != "" {
				r.Header.Set("X-Forwarded-For", tt.header)
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
			if got != tt.want || proto != tt.proto {
				t.Errorf("client %s, proto %q; want %s, %q", got, proto, tt.want, tt.proto)
			}
		})
	}
}

func FuzzForwardedFor(f *testing.F) {
	f.Add("192.0.2.1, 10.0.0.1")
	f.Add("[::1]:80,,unknown")
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "10.0.0.1:1"
		r.Header.Set("X-Forwarded-For", header)
		trustForwarded(trusted, r)
		if !clientIP(r).IsValid() {
			t.Fatalf("%q made the address %q", header, r.RemoteAddr)
		}
	})
}
