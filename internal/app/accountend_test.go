package app

import (
	"strings"
	"testing"
)

// Valid tokens that never opened a socket were in no list, so they could not be signed out.
func TestATokenThatNeverOpenedASocketIsListedAndSignedOut(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		here := r.register("alice@example.org")
		there := r.signIn("alice@example.org")
		mallory := r.register("mallory@example.org")
		own := r.done200("GET", "/api/sessions", there, "").body
		_, rest, _ := strings.Cut(own, `"id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		r.await("GET", "/api/sessions", here, id)
		if got := strings.Count(r.done200("GET", "/api/sessions", here, "").body, `"expiresAt"`); got != 2 {
			t.Errorf("%d sessions, want 2", got)
		}
		if a := r.call("DELETE", "/api/sessions/"+id, mallory, ""); a.code != 404 {
			t.Errorf("somebody else ends it: %d %s", a.code, a.body)
		}
		r.done200("DELETE", "/api/sessions/"+id, here, "")
		if a := r.call("GET", "/api/user/profile", there, ""); a.code != 401 {
			t.Errorf("the token that was signed out: %d %s", a.code, a.body)
		}
		if a := r.call("DELETE", "/api/sessions/"+id, here, ""); a.code != 404 {
			t.Errorf("ended twice: %d %s", a.code, a.body)
		}
	})
}

// DELETE /api/user did not exist: an account could not be deleted.
func TestAnAccountEndsWithAllThatIsItsUsers(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice := r.register("alice@example.org")
		socket := r.listen(alice)
		if a := r.call("DELETE", "/api/user", alice, `{"password":"wrong"}`); a.code != 400 ||
			!strings.Contains(a.body, "Password is incorrect") {
			t.Errorf("with a wrong password: %d %s", a.code, a.body)
		}
		r.done200("DELETE", "/api/user", alice, `{"password":"secret"}`)
		if !socket.gone() {
			t.Error("a socket is open")
		}
		if a := r.call("GET", "/api/expenses", alice, ""); a.code != 401 || a.field("code") != "USER_NOT_FOUND" {
			t.Errorf("the token afterwards: %d %s", a.code, a.body)
		}
		if a := r.call("POST", "/api/auth/login", "", `{"email":"alice@example.org","password":"secret"}`); a.code != 400 {
			t.Errorf("sign-in afterwards: %d %s", a.code, a.body)
		}
	})
}
