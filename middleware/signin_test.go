package middleware

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/origin"
	"expenseflow/models"
)

// tries is a handler of failed sign-ins for an account.
func tries(account string) echo.HandlerFunc {
	return func(c echo.Context) error {
		a := models.AttemptFrom(c.Request().Context())
		if account == "" {
			return models.E(models.Invalid, "a password is missing")
		}
		if err := a.Admit(account); err != nil {
			return err
		}
		a.RecordFailure(account)
		return models.E(models.Invalid, "Invalid credentials")
	}
}

func TestSignInsAreLimitedByAddressAndByAccount(t *testing.T) {
	crowded := false
	s := &SignInLimits{
		WrongGuesses: NewLimiter("test", 3, time.Hour), WrongByAccount: NewLimiter("test", 5, time.Hour),
		Attempts: NewLimiter("test", 40, time.Hour),
		Crowded:  func() bool { return crowded },
	}
	e := newEcho()
	for _, account := range []string{"", "alice", "bob"} {
		e.POST("/"+account, tries(account), s.Limit(nil))
	}
	post := func(path, address string) int {
		r := httptest.NewRequest(http.MethodPost, path, nil)
		r.RemoteAddr = address + ":1"
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w.Code
	}
	count := func(path, address string, n int) (refused int) {
		for range n {
			if post(path, address) == code(models.TooMany) {
				refused++
			}
		}
		return refused
	}
	if n := count("/", "192.0.2.1", 20); n != 0 {
		t.Errorf("%d requests without a password were taken for wrong guesses", n)
	}
	if n := count("/alice", "192.0.2.1", 5); n != 2 {
		t.Errorf("%d of 5 wrong guesses of one address were refused", n)
	}
	if n := count("/alice", "192.0.2.2", 5); n != 3 {
		t.Errorf("%d of 5 more at one account were refused", n)
	}
	if n := count("/bob", "192.0.2.3", 1); n != 0 {
		t.Error("another address at another account was refused")
	}
	if n := count("/", "192.0.2.9", 100); n != 0 {
		t.Errorf("%d of a hundred people of one address were refused while there was room", n)
	}
	crowded = true
	if n := count("/", "192.0.2.9", 10); n != 10 {
		t.Errorf("%d of 10 more were refused while others waited", n)
	}
	if n := count("/", "192.0.2.10", 10); n != 0 {
		t.Error("others were refused")
	}
}

func TestAnyWebPageKeptItsVisitorFromSigningIn(t *testing.T) {
	e := newEcho()
	e.POST("/", ok, RejectCrossSite(origin.New([]string{"https://money.example"}, false, slog.New(slog.DiscardHandler))))
	for _, tt := range []struct {
		name, page, media, body string
		want                    int
	}{
		{"the page", "https://money.example", "application/json", "{}", http.StatusOK},
		{"the page, with a charset", "https://money.example", "application/json; charset=utf-8", "{}", http.StatusOK},
		{"a program", "", "application/json", "{}", http.StatusOK},
		{"a sign-out without a body", "", "", "", http.StatusOK},
		{"another site's simple request", "", "text/plain", "{}", code(models.Invalid)},
		{"another site's form", "", "application/x-www-form-urlencoded", "a=b", code(models.Invalid)},
		{"another site", "https://evil.example", "application/json", "{}", code(models.Forbidden)},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
		for name, value := range map[string]string{"Origin": tt.page, "Content-Type": tt.media} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, w.Code, tt.want)
		}
	}
}

// Any page could use up the rate limits of its visitor's address with cross-site requests,
// so that the visitor could not sign in.
func TestAnotherSitesPageUsedUpItsVisitorsSignIns(t *testing.T) {
	policy := origin.New(nil, false, slog.New(slog.DiscardHandler))
	visitor := Visitors(policy)
	strangers := NewLimiter("test", 3, time.Hour)
	s := &SignInLimits{
		WrongGuesses: NewLimiter("test", 3, time.Hour), WrongByAccount: NewLimiter("test", 99, time.Hour),
		Attempts: NewLimiter("test", 3, time.Hour),
		Crowded:  func() bool { return true }, From: visitor,
	}
	e := newEcho()
	e.GET("/list", func(echo.Context) error { return models.E(models.Unauthorized, "no token") },
		UnauthorizedPerVisitor(strangers, visitor, nil))
	e.POST("/login", tries("alice"), PerVisitor(strangers, visitor, nil), RejectCrossSite(policy), s.Limit(nil))
	send := func(method, path string, headers ...string) int {
		r := httptest.NewRequest(method, "http://money.example"+path, nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w.Code
	}
	for range 9 {
		send(http.MethodGet, "/list", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors")
		send(http.MethodPost, "/login", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
		send(http.MethodPost, "/login", "Origin", "null")
	}
	if got := send(http.MethodPost, "/login", "Origin", "https://evil.example"); got != code(models.TooMany) {
		t.Errorf("the other site's page goes on: %d", got)
	}
	for name, headers := range map[string][]string{
		"a program": nil, "the server's own page": {"Origin", "https://money.example", "Sec-Fetch-Site", "same-origin"},
	} {
		if got := send(http.MethodPost, "/login", headers...); got != code(models.Invalid) {
			t.Errorf("%s: %d, want that the password is wrong", name, got)
		}
	}
}
