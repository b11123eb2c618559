package app

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// A person who is woken asks one process how it is doing, without the log at hand.
func TestTheOperatorSeesHowAProcessIsDoing(t *testing.T) {
	r := start(t, "ADMIN_TOKEN="+adminToken)
	token := r.register("alice@example.org")
	r.dial(`{"token":"` + token + `"}`)
	r.app.log.Error("disk is full", slog.Any("error", errors.New("no space")), slog.String("stack", "main.go:1"))
	a := r.await("GET", "/api/admin/overview", adminToken, `"followed":1`)
	for _, part := range []string{
		`"open":1,"users":1`, `"websocket":1`, `"parked":0`, `"kind":"sqlite"`, `"hints":null`, `"processes":null`, `"draining":false`,
		`"message":"disk is full","attrs":{"error":"no space"}`, `"connected":{"sockets":1,"users":1,`,
	} {
		if !strings.Contains(a.body, part) {
			t.Errorf("%s lacks %s", a.body, part)
		}
	}
	for _, secret := range []string{token, "alice@example.org", testSecret} {
		if strings.Contains(a.body, secret) {
			t.Errorf("%s shows %s", a.body, secret)
		}
	}
	if a := r.call("GET", "/api/admin/overview", "guessed", ""); a.code != 401 {
		t.Errorf("another token: %d %s", a.code, a.body)
	}
}

func TestWithoutATokenNobodySeesTheOverview(t *testing.T) {
	if a := start(t).call("GET", "/api/admin/overview", "", ""); a.code != 404 {
		t.Errorf("%d %s", a.code, a.body)
	}
}
