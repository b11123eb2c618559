package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/testneed"
)

// at returns the same account as another process serves it.
func (a *account) at(p *program) *account {
	other := *a
	other.p = p
	return &other
}

// awaitKnown waits until the account's devices are in its list.
func (a *account) awaitKnown(t *testing.T, names ...string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		list := string(a.call(t, http.MethodGet, "/api/devices", nil).want(t, http.StatusOK).body)
		missing := 0
		for _, name := range names {
			if !strings.Contains(list, a.device(name)) {
				missing++
			}
		}
		switch {
		case missing == 0:
			return
		case time.Now().After(deadline):
			t.Fatalf("%d of %v are not listed: %s", missing, names, list)
		}
	}
}

// endings are the ways in which a phone loses its token by what somebody does at
// one process, while its socket may be at another. again is the token that the
// laptop has then.
var endings = map[string]func(t *testing.T, laptop, phone *account) (again string){
	"its device is signed out": func(t *testing.T, laptop, phone *account) string {
		laptop.call(t, http.MethodDelete, "/api/devices/"+phone.phone(), nil).want(t, http.StatusOK)
		return laptop.Token
	},
	"it logs out": func(t *testing.T, laptop, phone *account) string {
		phone.call(t, http.MethodPost, "/api/auth/logout", nil).want(t, http.StatusOK)
		return laptop.Token
	},
	"all others are signed out": func(t *testing.T, laptop, _ *account) string {
		var got struct{ Token string }
		laptop.call(t, http.MethodPost, "/api/auth/logout-others", nil).want(t, http.StatusOK).into(t, &got)
		return got.Token
	},
	"the password is another": func(t *testing.T, laptop, _ *account) string {
		var got struct{ Token string }
		body := map[string]any{"currentPassword": laptop.Password, "newPassword": laptop.Password + "!"}
		laptop.call(t, http.MethodPost, "/api/auth/security/change-password", body).want(t, http.StatusOK).into(t, &got)
		return got.Token
	},
}

// checkEnding has a phone lose its token by what is done at p while its socket is
// at q: the socket is closed within a second, the token is refused, and the laptop
// with its valid token stays.
func checkEnding(t *testing.T, p, q *program, end func(t *testing.T, laptop, phone *account) string) {
	t.Helper()
	laptop := register(t, p)
	phone := laptop.login(t)
	n := startNode(t)
	out := n.openNamed(t, q.url(), phone, "phone")
	old := n.openNamed(t, q.url(), laptop, "laptop")
	laptop.awaitKnown(t, "phone", "laptop")

	good := laptop.with(end(t, laptop, phone))
	since := time.Now()
	phone.at(q).call(t, http.MethodGet, "/api/expenses", nil).want(t, http.StatusUnauthorized)
	stays := n.openNamed(t, q.url(), good, "laptop")

	out.gone(t, since)
	t.Logf("closed after %v", out.noted("disconnect")[0].At.Sub(since).Round(time.Millisecond))
	if good.Token != laptop.Token {
		old.gone(t, since)
		old = stays
	}
	good.settle(t, stays, old)
	same(t, "disconnects of the laptop", 0, len(stays.noted("disconnect"))+len(old.noted("disconnect")))
	again := n.open(t, q.url(), map[string]any{"auth": map[string]any{"token": phone.Token}})
	same(t, "refusal", `"Authentication error" {"code":"TOKEN_INVALID"}`, join(again.await(t, "connect_error", 1).Args))
}

func TestATokenThatEndsTakesItsSocketsAlong(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, p *program) { checkEnding(t, p, p, end) })
		})
	}
}

func TestATokenThatEndsTakesItsSocketsAtAnotherProcessAlong(t *testing.T) {
	url := "DATABASE_URL=" + testneed.Postgres(t)
	p, q := startRaced(t, url), startRaced(t, url)
	for name, end := range endings {
		t.Run(name, func(t *testing.T) { checkEnding(t, p, q, end) })
	}
}
