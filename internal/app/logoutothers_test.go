package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0"

// named opens a socket of a device with a browser, and waits until it is recorded.
func (r *running) named(token, device, userAgent string) *socket {
	r.t.Helper()
	s, _ := r.dialAs(userAgent, fmt.Sprintf(`{"token":%q,"deviceId":%q}`, token, device))
	for !strings.Contains(s.ask("presence:list", `{}`), device) {
	}
	return s
}

func TestDevicesAreListedWithTheirBrowser(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		phone := r.register("alice@example.org")
		r.named(phone, "phone", firefox)
		r.named(phone, "script", "node")
		list := r.done200("GET", "/api/devices", phone, "").body
		for _, want := range []string{`"deviceId":"phone","client":"Firefox on Windows"`, `"deviceId":"script","client":""`} {
			if !strings.Contains(list, want) {
				t.Errorf("no %s in %s", want, list)
			}
		}
		app := r.signIn("alice@example.org")
		r.call("GET", "/api/user/profile", app, "", "User-Agent", firefox)
		const want = `"current":true,"client":"Firefox on Windows","devices":[]`
		if a := r.done200("GET", "/api/sessions", app, ""); !strings.Contains(a.body, want) {
			t.Errorf("sessions: %s", a.body)
		}
	})
}

// A token that was never used outlived the sign-out of all others, for no list had it.
func TestSigningAllOthersOutEndsWhatWasNeverUsed(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		phone := r.register("alice@example.org")
		laptop, unused := r.signIn("alice@example.org"), r.signIn("alice@example.org")
		mine, other := r.named(phone, "phone", firefox), r.named(laptop, "laptop", "")
		a := r.done200("POST", "/api/auth/logout-others", phone, "")
		since := time.Now()
		if !other.gone() || !mine.gone() {
			t.Error("a socket of an old token stays")
		}
		if took := time.Since(since); took > time.Second {
			t.Errorf("they were closed after %v", took)
		}
		for name, token := range map[string]string{"phone": phone, "laptop": laptop, "unused": unused} {
			if a := r.call("GET", "/api/expenses", token, ""); a.code != http.StatusUnauthorized || a.field("code") != "SESSION_INVALID" {
				t.Errorf("%s: %d %s", name, a.code, a.body)
			}
		}
		if a := r.call("POST", "/api/auth/logout-others", phone, ""); a.code != http.StatusUnauthorized {
			t.Errorf("with the old token: %d %s", a.code, a.body)
		}
		next := a.field("token")
		if list := r.done200("GET", "/api/devices", next, "").body; !strings.Contains(list, `"phone","client":"Firefox on Windows"`) ||
			strings.Contains(list, "laptop") {
			t.Errorf("devices: %s", list)
		}
		again := r.named(next, "phone", firefox)
		r.done200("POST", "/api/auth/logout-everywhere", next, "")
		if !again.gone() || r.call("GET", "/api/user/profile", next, "").code != http.StatusUnauthorized {
			t.Error("a token outlives the sign-out everywhere")
		}
	})
}

// The page of another site cannot sign anybody out.
func TestOtherSitesSignNobodyOut(t *testing.T) {
	r := start(t, "FRONTEND_URL=https://app.example")
	alice := r.register("alice@example.org")
	for _, path := range []string{"/api/auth/logout-others", "/api/auth/logout-everywhere"} {
		if a := r.call("POST", path, alice, "", "Origin", "https://evil.example"); a.code != http.StatusForbidden {
			t.Errorf("%s: %d %s", path, a.code, a.body)
		}
		if a := r.call("POST", path, alice, "x=1", "Content-Type", "text/plain"); a.code != http.StatusBadRequest {
			t.Errorf("%s with a form: %d %s", path, a.code, a.body)
		}
	}
}

// Other devices hear of a new name, and others see it.
func TestANameIsChanged(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice, bob := r.register("alice@example.org"), r.register("bob@example.org")
		laptop := r.listen(alice)
		a := r.call("PATCH", "/api/user/settings", alice, `{"name":" Alice Miller "}`)
		if a.code != 200 || a.field("name") != "Alice Miller" {
			t.Fatalf("%d %s", a.code, a.body)
		}
		if e := laptop.next(); !strings.HasPrefix(e, "account:settings ") || !strings.Contains(e, `"name":"Alice Miller"`) {
			t.Errorf("heard %s", e)
		}
		id := r.expense(alice)
		r.call("POST", "/api/expenses/"+id+"/share", alice, `{"email":"bob@example.org","role":"viewer"}`)
		r.await("GET", "/api/invitations", bob, "Alice Miller")
		r.await("GET", "/api/notifications", bob, "Alice Miller wants to share an entry with you.")
		for _, body := range []string{`{"name":" "}`, `{"name":7}`, `{"name":"` + strings.Repeat("a", 51) + `"}`} {
			if a := r.call("PATCH", "/api/user/settings", alice, body); a.code != http.StatusBadRequest {
				t.Errorf("%s: %d %s", body, a.code, a.body)
			}
		}
	})
}
