package app

import (
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/socketio/socketiotest"
)

func TestHealthOfAWellServer(t *testing.T) {
	r := start(t)
	for _, path := range []string{"/readyz", "/health", "/api/health"} {
		a := r.call("GET", path, "", "")
		if want := `{"status":"ok","timestamp":"<time>","checks":{"database":"ok","disk":"ok","drain":"ok",` +
			`"migrations":"ok","writes":"ok"}}`; a.code != 200 || plain(a.body) != want {
			t.Errorf("%s: %d %s", path, a.code, a.body)
		}
		r.wantHeaders(t, a)
	}
	if a := r.call("GET", "/healthz", "", ""); a.code != 200 || plain(a.body) != `{"status":"ok","timestamp":"<time>"}` {
		t.Errorf("/healthz: %d %s", a.code, a.body)
	}
}

func TestBodySizesByRoute(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	ops := make([]string, 0, 5000)
	for i := range 5000 {
		ops = append(ops, operation("CREATE", fmt.Sprintf("temp_%d", i), `{"description":"`+strings.Repeat("x",
			90)+`","amount":1,"category":"food","type":"expense","junk":"`+strings.Repeat("j", 300)+`"}`))
	}
	large := batchOf(ops...)
	if len(large) < 2<<20 || len(large) > 10<<20 {
		t.Fatalf("the batch has %d bytes", len(large))
	}
	if a := r.call("POST", "/api/sync/batch", alice, large); a.code != 200 || strings.Count(a.body, `"success":true`) != len(ops) {
		t.Errorf("a batch of %d bytes: %d with %d successes", len(large), a.code, strings.Count(a.body, `"success":true`))
	}
	tooLarge := failing("request entity too large")
	for path, size := range map[string]int{"/api/expenses": 1<<20 + 1, "/api/sync/batch": 10<<20 + 1, "/api/auth/login": 1<<20 + 1} {
		if a := r.call("POST", path, alice, strings.Repeat(" ", size)); a.code != 413 || a.body != tooLarge {
			t.Errorf("%s with %d bytes: %d %s", path, size, a.code, a.body)
		}
	}
	if a := r.call("POST", "/api/sync/batch", "garbled", strings.Repeat(" ", 20<<20)); a.code != 401 {
		t.Errorf("a large body without a valid token: %d", a.code)
	}
}

func TestLongListsAreCompressedForWhoTakesIt(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	for range 20 {
		r.expense(alice)
	}
	whole := r.call("GET", "/api/expenses", alice, "", "Accept-Encoding", "identity")
	small := r.call("GET", "/api/expenses", alice, "", "Accept-Encoding", "gzip")
	if small.header.Get("Content-Encoding") != "gzip" || len(small.body) > len(whole.body)/2 {
		t.Fatalf("%q, %d bytes instead of %d", small.header.Get("Content-Encoding"), len(small.body), len(whole.body))
	}
	z, err := gzip.NewReader(strings.NewReader(small.body))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || string(text) != whole.body {
		t.Errorf("another list comes out of it: %v", err)
	}
	r.wantHeaders(t, small)
}

func TestD35ThePageIsServedUnderItsPolicy(t *testing.T) {
	r := start(t)
	for _, path := range []string{"/", "/expensetracker.html"} {
		a := r.call("GET", path, "", "")
		if a.code != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") ||
			!strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'self'") {
			t.Errorf("%s: %d %v", path, a.code, a.header)
		}
	}
	for path, mediaType := range map[string]string{
		"/sw.js":         "text/javascript; charset=utf-8",
		"/manifest.json": "application/json; charset=utf-8", "/socket.io/socket.io.js": "application/javascript; charset=utf-8",
	} {
		if a := r.call("GET", path, "", ""); a.code != 200 || a.header.Get("Content-Type") != mediaType {
			t.Errorf("%s: %d %s", path, a.code, a.header.Get("Content-Type"))
		}
	}
	for _, path := range []string{"/main.go", "/static.go", "/package.json", "/.env", "/js/"} {
		if a := r.call("GET", path, "", ""); a.code != 404 {
			t.Errorf("%s: %d", path, a.code)
		}
	}
}

func TestUnknownPathsAreJSONHoweverTheyLook(t *testing.T) {
	r := start(t)
	for _, path := range []string{
		"/nowhere", "/api", "/api/", "//api/expenses", "/api/../nowhere", "/socket.io",
		"/API/expenses/x/y",
	} {
		if a := r.call("GET", path, "", ""); a.code != 404 || !strings.HasPrefix(a.body, `{"error":"Cannot GET /`) {
			t.Errorf("%s: %d %s", path, a.code, a.body)
		}
	}
	if a := r.call("PATCH", "/api/expenses", "", ""); a.code != 404 || a.body != failing("Cannot PATCH /api/expenses") {
		t.Errorf("PATCH: %d %s", a.code, a.body)
	}
}

func TestAnExistingFrontendComesAfterTheAPI(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"index.html", "api/expenses", "healthz", "socket.io/socket.io.js"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("theirs"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := start(t, "STATIC_DIR="+dir)
	if a := r.call("GET", "/", "", ""); a.body != "theirs" || a.header.Get("Content-Security-Policy") != "" {
		t.Errorf("/: %s %v", a.body, a.header)
	}
	if a := r.call("GET", "/expensetracker.html", "", ""); a.body != "theirs" {
		t.Errorf("/expensetracker.html: %s", a.body)
	}
	for path, code := range map[string]int{"/api/expenses": 401, "/healthz": 200, "/socket.io/socket.io.js": 200} {
		if a := r.call("GET", path, "", ""); a.code != code || a.body == "theirs" {
			t.Errorf("%s: %d", path, a.code)
		}
	}
}

func TestPreflightIsTheOriginals(t *testing.T) {
	a := start(t).call("OPTIONS", "/api/expenses/x", "", "", "Origin", "https://a.example", "Access-Control-Request-Method",
		"DELETE", "Access-Control-Request-Headers", "authorization,content-type")
	for _, ours := range []string{
		"Date", "X-Request-Id", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
		"Content-Security-Policy",
	} {
		a.header.Del(ours)
	}
	want := http.Header{
		"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Methods": {"GET,HEAD,PUT,PATCH,POST,DELETE"},
		"Access-Control-Allow-Headers": {"authorization,content-type"}, "Vary": {"Origin", "Access-Control-Request-Headers"},
	}
	if diff := cmp.Diff(want, a.header); a.code != 204 || diff != "" {
		t.Errorf("status %d, headers (-want +got):\n%s", a.code, diff)
	}
}

func TestListedOriginsOnly(t *testing.T) {
	r := start(t, "FRONTEND_URL=https://money.example")
	poll := "/socket.io/?EIO=4&transport=polling"
	for _, tt := range []struct {
		path, origin, allowed string
		code                  int
	}{
		{"/healthz", "https://money.example", "https://money.example", 200},
		{"/healthz", "https://evil.example", "", 200},
		{poll, "https://money.example", "https://money.example", 200},
		{poll, "https://evil.example", "", 403},
		{poll, r.url, "", 200},
		{poll, "", "", 200},
	} {
		a := r.call("GET", tt.path, "", "", "Origin", tt.origin)
		credentials := a.header.Get("Access-Control-Allow-Credentials")
		if a.code != tt.code || a.header.Get("Access-Control-Allow-Origin") != tt.allowed ||
			(credentials == "true") != (tt.allowed != "") {
			t.Errorf("%s from %q: %d %v", tt.path, tt.origin, a.code, a.header)
		}
	}
	evil := socketiotest.Options{Header: http.Header{"Origin": {"https://evil.example"}}}
	if c, err := socketiotest.Dial(t.Context(), r.url, evil); err == nil {
		c.Close()
		t.Error("another origin's WebSocket was opened")
	}
}

// A page of a development server on this machine (such as Vite's port 5173) sends its
// requests with credentials: outside production it needs no setting.
func TestPagesOfThisMachineMayUseCredentials(t *testing.T) {
	const vite = "http://localhost:5173"
	for _, tt := range []struct {
		env, origin, allowed, credentials string
	}{
		{"development", vite, vite, "true"},
		{"development", "https://a.example", "*", ""},
		{"production", vite, "*", ""},
	} {
		r := start(t, "NODE_ENV="+tt.env)
		for _, path := range []string{"/api/expenses", "/socket.io/?EIO=4&transport=polling", "/socket.io/socket.io.js"} {
			a := r.call("GET", path, "", "", "Origin", tt.origin)
			allowed, credentials := a.header.Get("Access-Control-Allow-Origin"), a.header.Get("Access-Control-Allow-Credentials")
			if allowed != tt.allowed || credentials != tt.credentials {
				t.Errorf("%s from %s in %s: %q, credentials %q", path, tt.origin, tt.env, allowed, credentials)
			}
		}
	}
}

func TestARefusedPageIsLoggedWithTheSettingThatWouldAllowIt(t *testing.T) {
	r := start(t, "FRONTEND_URL=https://money.example:443")
	for range 3 {
		r.call("GET", "/socket.io/?EIO=4&transport=polling", "", "", "Origin", "http://localhost:5173")
		r.call("GET", "/api/expenses", "", "", "Origin", "http://localhost:5173")
	}
	if n := strings.Count(r.log.String(), "FRONTEND_URL=https://money.example,http://localhost:5173"); n != 1 {
		t.Errorf("%d lines say so:\n%s", n, r.log)
	}
}

// HOST=0.0.0.0 listened on every IPv6 address too.
func TestAnIPv4HostListensOnIPv4Only(t *testing.T) {
	r := start(t, "HOST=0.0.0.0")
	_, port, _ := net.SplitHostPort(r.app.Addr())
	if conn, err := net.Dial("tcp", "[::1]:"+port); err == nil {
		conn.Close()
		t.Error("it listens on IPv6 too")
	}
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestPollingAnswersAreNobodysToKeep(t *testing.T) {
	a := start(t).call("GET", "/socket.io/?EIO=4&transport=polling", "", "")
	if a.header.Get("Vary") != "*" || a.header.Get("Cache-Control") != "no-store" ||
		a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("headers %v", a.header)
	}
}

func TestSocketsDoNotOutliveLogoutAndPasswordChange(t *testing.T) {
	r := start(t)
	phone := r.register("alice@example.org")
	laptop := r.call("POST", "/api/auth/login", "", `{"email":"alice@example.org","password":"secret"}`).field("token")
	onPhone, onLaptop := r.listen(phone), r.listen(laptop)
	if a := r.call("POST", "/api/auth/logout", phone, ""); a.code != 200 ||
		a.body != `{"success":true,"message":"Logged out successfully"}` {
		t.Fatalf("logout: %d %s", a.code, a.body)
	}
	if !onPhone.gone() {
		t.Error("the phone's socket outlives its logout")
	}
	changed := r.call("POST", "/api/auth/security/change-password", laptop,
		`{"currentPassword":"secret","newPassword":"a better one"}`)
	if changed.code != 200 || plain(changed.body) != `{"success":true,"message":"Password changed successfully. Other sessions `+
		`have been logged out.","token":"<token>"}` {
		t.Fatalf("change: %d %s", changed.code, changed.body)
	}
	if !onLaptop.gone() {
		t.Error("the laptop's socket outlives the password")
	}
	if a := r.call("GET", "/api/user/profile", laptop, ""); a.code != 401 || a.field("code") != "SESSION_INVALID" {
		t.Errorf("the old token: %d %s", a.code, a.body)
	}
	if a := r.call("GET", "/api/user/profile", changed.field("token"), ""); a.code != 200 {
		t.Errorf("the new token: %d %s", a.code, a.body)
	}
	if a := r.call("POST", "/api/auth/login", "", `{"email":"alice@example.org","password":"a better one"}`); a.code != 200 {
		t.Errorf("the new password: %d %s", a.code, a.body)
	}
}

// Sockets of an account that was deleted by another process or in the database stayed open
// until their tokens expired.
func TestSocketsOutlivedTheirAccount(t *testing.T) {
	r := start(t)
	alice, bob := r.register("alice@example.org"), r.register("bob@example.org")
	socket, other := r.listen(alice), r.listen(bob)
	u, err := r.app.store.UserByEmail(t.Context(), "alice@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.app.store.DeleteUser(t.Context(), u.ID); err != nil {
		t.Fatal(err)
	}
	if !socket.gone() {
		t.Error("the socket outlives its account")
	}
	const refused = `44{"message":"Authentication error","data":{"code":"USER_NOT_FOUND","requestId":"`
	if _, answer := r.dial(fmt.Sprintf(`{"token":%q}`, alice)); !strings.HasPrefix(answer, refused) {
		t.Errorf("it comes back: %s", answer)
	}
	r.expense(bob)
	if got := other.next(); !strings.HasPrefix(got, "expense_created") {
		t.Errorf("another user's heard %s", got)
	}
}

func TestGraceOpensTheBatchAlone(t *testing.T) {
	r := start(t, "SYNC_TOKEN_GRACE=1h")
	r.register("alice@example.org")
	id := r.call("POST", "/api/auth/login", "", `{"email":"alice@example.org","password":"secret"}`).field("user", "id")
	late := func(ago time.Duration) string {
		return signed(t, jwt.SigningMethodHS256, []byte(testSecret), jwt.MapClaims{"id": id, "exp": time.Now().Add(-ago).Unix()})
	}
	for _, tt := range []struct {
		method, path string
		ago          time.Duration
		code         int
	}{
		{"POST", "/api/sync/batch", 30 * time.Minute, 200}, {"POST", "/api/sync/batch", 90 * time.Minute, 401}, {
			"GET",
			"/api/sync/status", time.Minute, 401,
		}, {"GET", "/api/expenses", time.Minute, 401},
	} {
		if a := r.call(tt.method, tt.path, late(tt.ago), batchOf()); a.code != tt.code {
			t.Errorf("%s %v late: %d, want %d", tt.path, tt.ago, a.code, tt.code)
		}
	}
}

func TestLimitsAreAnsweredInTheContractsWords(t *testing.T) {
	r := start(t, "AUTH_RATE_LIMIT=2/1h", "RATE_LIMIT=7/1h", "SYNC_RATE_LIMIT=60/1m")
	alice := r.register("alice@example.org")
	for range 2 {
		r.call("POST", "/api/auth/login", "", `{"email":"alice@example.org","password":"wrong!"}`)
	}
	a := r.call("POST", "/api/auth/login", "", `{"email":"alice@example.org","password":"secret"}`)
	if a.code != 429 || !strings.HasPrefix(a.body, `{"error":"Too many authentication attempts, please try again later.",`+
		`"message":"`) || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, `"retryAfter":3`) {
		t.Errorf("after two failed sign-ins: %d %s", a.code, a.body)
	}
	for range 7 { // whoever has signed in is counted apart from their address
		r.call("GET", "/api/expenses", alice, "")
	}
	if a := r.call("GET", "/api/expenses", alice, ""); a.code != 429 || !strings.Contains(a.body, "Too many requests") {
		t.Errorf("the eighth request: %d %s", a.code, a.body)
	}
	for i := range 60 {
		if a := r.call("POST", "/api/sync/batch", alice, batchOf()); a.code != 200 {
			t.Fatalf("batch %d: %d %s", i, a.code, a.body)
		}
	}
	if a := r.call("POST", "/api/sync/batch", alice, batchOf()); a.code != 429 {
		t.Errorf("batch 61: %d", a.code)
	}
	if a := r.call("GET", "/", "", ""); a.code != 200 {
		t.Errorf("the page is limited: %d", a.code)
	}
}

// certificate writes a self-signed certificate of 127.0.0.1 and returns its two files.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
