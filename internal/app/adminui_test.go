package app

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"expenseflow/internal/origin"
	"expenseflow/internal/socketio/socketiotest"
)

const (
	adminPassword = "a password of whoever runs it"
	adminAuth     = `/admin,{"username":"admin","password":"` + adminPassword + `"}`
	adminOrigin   = "https://admin.example.org"
)

// connectFrom opens a connection as a page of an origin, and returns the answers to CONNECTs.
func (r *running) connectFrom(page string, connects ...string) (answers []string) {
	r.t.Helper()
	client, err := socketiotest.Dial(context.Background(), r.url, socketiotest.Options{Header: http.Header{"Origin": {page}}})
	if err != nil {
		return []string{err.Error()}
	}
	defer client.Close()
	for _, connect := range connects {
		if err := client.Send("40" + connect); err != nil {
			r.t.Fatal(err)
		}
		for answer := ""; !strings.HasPrefix(answer, "40") && !strings.HasPrefix(answer, "44"); {
			if answer, err = client.Receive(); err != nil {
				r.t.Fatalf("after %s: %v", connect, err)
			}
			if len(answer) > 2 && answer[1] != '2' {
				answers = append(answers, answer)
			}
		}
	}
	return answers
}

func TestWithoutAPasswordThereIsNoAdminUI(t *testing.T) {
	r := start(t)
	if got := r.connectFrom("", adminAuth); got[0] != `44/admin,{"message":"Invalid namespace"}` {
		t.Error(got)
	}
	r.dial(`{"token":"` + r.register("alice@example.org") + `"}`)
}

// The page of the Admin UI opens connections with credentials, and gains nothing else by it.
func TestThePageOfTheAdminUIReachesNothingElse(t *testing.T) {
	r := start(t, "ADMIN_PASSWORD="+adminPassword, "ADMIN_UI_ORIGIN="+adminOrigin, "FRONTEND_URL=https://money.example.org",
		"ADMIN_TOKEN="+adminToken)
	token := r.register("alice@example.org")
	user := `{"token":"` + token + `"}`

	const handshake = "/socket.io/?EIO=4&transport=polling"
	for page, want := range map[string]string{adminOrigin: adminOrigin + " true", "https://other.example.org": " "} {
		h := r.call("GET", handshake, "", "", "Origin", page).header
		if got := h.Get("Access-Control-Allow-Origin") + " " + h.Get("Access-Control-Allow-Credentials"); got != want {
			t.Errorf("%s may connect: %q", page, got)
		}
	}
	for _, path := range []string{"/api/expenses", "/api/admin/overview", "/readyz"} {
		h := r.call("GET", path, token, "", "Origin", adminOrigin).header
		if h.Get("Access-Control-Allow-Origin") != "" || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("the page may read %s: %v", path, h)
		}
	}

	got := strings.Join(r.connectFrom(adminOrigin, user, adminAuth, user), "\n")
	refused := `44{"message":"Origin not allowed","data":{"code":"ORIGIN_REFUSED"}}`
	if !strings.HasPrefix(got, refused+"\n40/admin,{") || !strings.HasSuffix(got, "}\n"+refused) {
		t.Errorf("the page is answered\n%s", got)
	}
	if got := r.connectFrom("https://money.example.org", user); !strings.HasPrefix(got[0], "40{") {
		t.Error(got)
	}
	if got := r.connectFrom("https://other.example.org", adminAuth); !strings.Contains(got[0], "Origin not allowed") {
		t.Error(got)
	}
	if a := r.call("GET", "/api/admin/overview", adminToken, ""); !strings.Contains(a.body, `"adminUI":{"admins":`) {
		t.Error(a.body)
	}
}

// Where any page may use sockets, one of another site may still not guess the password by its
// visitors.
func TestPagesOfOtherSitesDoNotAdminister(t *testing.T) {
	r := start(t, "ADMIN_PASSWORD="+adminPassword)
	if got := r.connectFrom("https://other.example.org", adminAuth); !strings.Contains(got[0], `"code":"ORIGIN_REFUSED"`) {
		t.Error(got)
	}
	for _, page := range []string{"", r.url} {
		if got := r.connectFrom(page, adminAuth); !strings.HasPrefix(got[0], "40/admin,{") {
			t.Errorf("%q: %v", page, got)
		}
	}
}

func TestCredentialsOfAdminPagesAreDropped(t *testing.T) {
	pages := adminPages{[]string{adminOrigin}, origin.New([]string{"https://money.example.org"}, false, nil)}
	for page, kept := range map[string]bool{"": true, "https://money.example.org": true, adminOrigin: false} {
		req := httptest.NewRequest("GET", "/socket.io/?EIO=4&transport=polling", nil)
		for name, value := range map[string]string{"Origin": page, "Cookie": "a=b", "Authorization": "Bearer c"} {
			req.Header.Set(name, value)
		}
		pages.withoutCredentials(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("Cookie") != "" && r.Header.Get("Authorization") != ""; got != kept {
				t.Errorf("of %q are kept: %v", page, got)
			}
		})).ServeHTTP(httptest.NewRecorder(), req)
	}
}

func TestEventsAreShownRedacted(t *testing.T) {
	for _, tt := range []struct{ event, safe, open string }{
		{
			`["expense:created",{"_id":"5f","amount":12.5,"description":"Lunch","type":"expense","tags":["a"],"shared":true}]`,
			`["expense:created",{"_id":"5f","amount":"(redacted)","description":"(redacted)","type":"expense",` +
				`"tags":["(redacted)"],"shared":true}]`,
			`["expense:created",{"_id":"5f","amount":12.5,"description":"Lunch","type":"expense","tags":["a"],"shared":true}]`,
		},
		{
			`["auth:refresh",{"token":"ey.ey.sig"},"plain",7,null]`,
			`["auth:refresh",{"token":"(redacted)"},"(redacted)","(redacted)",null]`,
			`["auth:refresh",{"token":"(redacted)"},"plain",7,null]`,
		},
		{ // a token of which no key says that it is one
			`["authenticate","eyJhbGciOiJIUzI1NiJ9.e30.c2ln",{"Authorization":"Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln","note":"a.b.c"}]`,
			`["authenticate","(redacted)",{"Authorization":"(redacted)","note":"(redacted)"}]`,
			`["authenticate","(redacted)",{"Authorization":"(redacted)","note":"a.b.c"}]`,
		},
		{`["nothing"]`, `["nothing"]`, `["nothing"]`},
		{`["empty",{},[]]`, `["empty",{},[]]`, `["empty",{},[]]`},
		{
			`["long",{"id":"` + strings.Repeat("x", 100) + `"}]`, `["long",{"id":"(redacted)"}]`,
			`["long",{"id":"` + strings.Repeat("x", 100) + `"}]`,
		},
	} {
		if got := string(redactEvents.event(json.RawMessage(tt.event))); got != tt.safe {
			t.Errorf("%s\nis shown as %s", tt.event, got)
		}
		if got := string(redactTokens.event(json.RawMessage(tt.event))); got != tt.open {
			t.Errorf("%s\nis shown openly as %s", tt.event, got)
		}
	}
}

func FuzzWhatIsShownIsJSONWithoutContent(f *testing.F) {
	f.Add(`["a",{"amount":"hidden"},["hidden"],{"b":{"c":["hidden",1]}}]`)
	f.Fuzz(func(t *testing.T, event string) {
		var parts []json.RawMessage
		if json.Unmarshal([]byte(event), &parts) != nil || len(parts) == 0 || parts[0][0] != '"' {
			return
		}
		got := redactEvents.event(json.RawMessage(event))
		var shown []json.RawMessage
		if err := json.Unmarshal(got, &shown); err != nil || len(shown) != len(parts) {
			t.Fatalf("%s is shown as %s: %v", event, got, err)
		}
		if len(got) > len(`"(redacted)"`)*(len(event)+1) {
			t.Errorf("%s is shown at length as %s", event, got)
		}
	})
}
