package handlers

import (
	"strings"
	"testing"

	"expenseflow/internal/wire"
)

const adminToken = "the token of whoever runs this"

func TestStatusIsToldByTheTokenAlone(t *testing.T) {
	const body = `{"status":"degraded","message":"back at noon"}`
	refusing := func(code, text string) string {
		quoted := strings.ReplaceAll(text, `"`, `\"`)
		return `{"error":"` + quoted + `","message":"` + quoted + `","code":"` + code + `"}`
	}
	tests := []struct {
		name, bearer, body string
		code               int
		want               string
	}{
		{"no token", "", body, 401, refusing("NO_TOKEN", "Access denied. No token provided.")},
		{"another token", "Bearer another", body, 401, refusing("TOKEN_INVALID", "Invalid token.")},
		{"a part of it", "Bearer " + adminToken[:10], body, 401, refusing("TOKEN_INVALID", "Invalid token.")},
		{"more than it", "Bearer " + adminToken + " ", body, 401, refusing("TOKEN_INVALID", "Invalid token.")},
		{"nothing to tell", "Bearer " + adminToken, "", 400, refusing("INVALID", `"status" is required`)},
		{
			"no such status", "Bearer " + adminToken, `{"status":"fine"}`, 400,
			refusing("INVALID", `"status" must be one of [ok, degraded, shutting_down]`),
		},
		{"half a body", "Bearer " + adminToken, `{"status":`, 400, refusing("INVALID", "Malformed JSON")},
		{"the token", "Bearer " + adminToken, body, 200, ""},
		{"the bare token", adminToken, body, 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var told []wire.Status
			e, api := newEcho()
			(&Admin{Token: adminToken, Broadcast: func(s wire.Status) { told = append(told, s) }}).Register(api)
			w := call(e, "POST", "/api/admin/status", tt.body, "Authorization", tt.bearer)
			if tt.code != 200 {
				want(t, w, tt.code, tt.want)
			} else if w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"status":"degraded","message":"back at noon","at":"20`) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if (len(told) == 1) != (tt.code == 200) {
				t.Errorf("told %v", told)
			}
		})
	}
}

func TestWithoutATokenThereIsNoAdministration(t *testing.T) {
	e, api := newEcho()
	(&Admin{}).Register(api)
	want(t, call(e, "POST", "/api/admin/status", `{"status":"ok"}`, "Authorization", "Bearer "), 404,
		`{"error":"Cannot POST /api/admin/status","message":"Cannot POST /api/admin/status"}`)
}
