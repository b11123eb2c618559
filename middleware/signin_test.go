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

// tries is a sign-in that goes wrong at an account after so many were admitted.
func tries(account string) echo.HandlerFunc {
	return func(c echo.Context) error {
		a := models.AttemptFrom(c.Request().Context())
		if account == "" {
			return models.E(models.Invalid, "a password is missing")
		}
		if err := a.Admit(account); err != nil {
			return err
		}
		a.Wrong(account)
		return models.E(models.Invalid, "Invalid credentials")
	}
}

func TestSignInsAreLimitedByAddressAndByAccount(t *testing.T) {
	crowded := false
	s := &SignIns{
		Wrong: NewLimiter(3, time.Hour), Account: NewLimiter(5, time.Hour), All: NewLimiter(40, time.Hour),
		Crowded: func() bool { return crowded },
	}
	e := newEcho()
	for _, account := range []string{"", "alice", "bob"} {
		e.POST("/"+account, tries(account), s.Guard(nil))
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
	e.POST("/", ok, PageOnly(origin.New([]string{"https://money.example"}, false, slog.New(slog.DiscardHandler))))
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
