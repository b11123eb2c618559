package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// cookie returns the browser cookie of an answer; "" for none.
func (a answer) cookie() string {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if strings.HasSuffix(c.Name, "expenseflow_browser") {
			return c.Name + "=" + c.Value
		}
	}
	return ""
}

func TestABrowserIsGivenItsCookieOnceAndByItsOwnOriginAlone(t *testing.T) {
	r := start(t, "TRUSTED_PROXIES=127.0.0.1/32")
	token, host := r.register("a@example.org"), strings.TrimPrefix(r.url, "http://")
	get := func(headers ...string) answer { return r.call("GET", "/api/sync/status", token, "", headers...) }
	first := get("Sec-Fetch-Site", "same-origin")
	set := first.header.Get("Set-Cookie")
	for _, part := range []string{"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=34560000"} {
		if !strings.Contains(set, part) {
			t.Errorf("Set-Cookie: %s lacks %s", set, part)
		}
	}
	if strings.Contains(set, "Secure") {
		t.Errorf("a browser without TLS would not keep %s", set)
	}
	if set := get("X-Forwarded-Proto", "https").header.Get("Set-Cookie"); !strings.HasPrefix(set, "__Host-") ||
		!strings.Contains(set, "Secure") {
		t.Errorf("with TLS: %s", set)
	}
	for name, headers := range map[string][]string{
		"that has one":         {"Cookie", first.cookie()},
		"of another site":      {"Sec-Fetch-Site", "cross-site"},
		"of another subdomain": {"Sec-Fetch-Site", "same-site"},
		"of another origin":    {"Origin", "https://elsewhere.example"},
	} {
		if got := get(headers...).cookie(); got != "" {
			t.Errorf("a browser %s is given %s", name, got)
		}
	}
	if get("Origin", "http://"+host).cookie() == "" || get().cookie() == "" {
		t.Error("a browser without Sec-Fetch-Site is given none")
	}
}

// A page of another subdomain can set the plain cookie for the whole site: the browser was
// then identified by a value that the other subdomain chose.
func TestANeighbouringHostChoseByWhichNameABrowserIsKnown(t *testing.T) {
	r := start(t, "TRUSTED_PROXIES=127.0.0.1/32")
	mine, theirs := r.register("a@example.org"), r.register("b@example.org")
	planted := []string{"X-Forwarded-Proto", "https", "Cookie", "expenseflow_browser=" + strings.Repeat("A", 26)}
	if got := r.call("GET", "/api/sync/status", mine, "", planted...).cookie(); !strings.HasPrefix(got, "__Host-") {
		t.Errorf("the browser is given %q", got)
	}
	queued := time.Now()
	acts["body"](r, theirs, "theirs", planted...)
	if got := r.queue(mine, "mine", queued, expenseBody, planted...).body; strings.Contains(got, "another account") {
		t.Errorf("the neighbour set the queue aside: %s", got)
	}
}

// acts are the requests that another account can make with a device id.
var acts = map[string]func(r *running, token, device string, headers ...string) answer{
	"body": func(r *running, token, device string, headers ...string) answer {
		return r.call("POST", "/api/expenses", token, strings.Replace(expenseBody, "device_1", device, 1), headers...)
	},
	"header": func(r *running, token, device string, headers ...string) answer {
		body := strings.Replace(expenseBody, `,"deviceId":"device_1"`, "", 1)
		return r.call("POST", "/api/expenses", token, body, append(headers, "X-Device-Id", device)...)
	},
	"budget": func(r *running, token, device string, headers ...string) answer {
		return r.call("POST", "/api/budgets", token, `{"name":"A","category":"all","amount":1,"period":"monthly",`+
			`"deviceId":"`+device+`"}`, headers...)
	},
	"operation": func(r *running, token, device string, headers ...string) answer {
		return r.queue(token, device, time.Now(), expenseBody, headers...)
	},
	"refused operation": func(r *running, token, device string, headers ...string) answer {
		return r.queue(token, device, time.Now(), `{"amount":-1}`, headers...)
	},
	"delta": func(r *running, token, device string, headers ...string) answer {
		return r.delta(token, device, time.Now(), headers...)
	},
	"socket": func(r *running, token, device string, headers ...string) answer {
		s, _ := r.dial(fmt.Sprintf(`{"token":%q}`, token), headers[min(1, len(headers)):]...)
		return answer{code: 200, body: s.ask("expense:create", strings.Replace(expenseBody, "device_1", device, 1))}
	},
}

func (r *running) queue(token, device string, at time.Time, data string, headers ...string) answer {
	return r.call("POST", "/api/sync/batch", token, fmt.Sprintf(
		`{"operations":[{"action":"CREATE","resourceType":"expense","resourceId":"temp_1","data":%s,"deviceId":%q,"timestamp":%d}]}`,
		data, device, at.UnixMilli()), headers...)
}

func (r *running) delta(token, device string, at time.Time, headers ...string) answer {
	return r.call("POST", "/api/sync/delta", token, fmt.Sprintf(
		`{"changes":[{"action":"create","id":"local_%d","data":{"description":"Lunch","amount":1,"category":"food","type":"expense"},`+
			`"localId":%d,"timestamp":%d}]}`,
		at.UnixNano(), at.UnixNano(), at.UnixMilli()), append(headers, "X-Device-Id", device)...)
}

// Two accounts with one deviceId: whatever one of them does delays nothing of the other,
// over any route, with a cookie or without.
func TestTwoAccountsOnOneDeviceIDDoNotHoldEachOtherUp(t *testing.T) {
	r := start(t)
	thief := r.register("thief@example.org")
	for name, act := range acts {
		for i, cookie := range []string{"", "Cookie"} {
			device := fmt.Sprintf("web %s %d", name, i)
			owner := r.register(fmt.Sprintf("%d.%s@example.org", i, strings.ReplaceAll(name, " ", "")))
			var headers []string
			if cookie != "" {
				headers = []string{cookie, r.call("GET", "/api/sync/status", owner, "").cookie()}
			}
			queued := time.Now()
			if a := act(r, thief, device); a.code >= 300 {
				t.Fatalf("%s: %d %s", name, a.code, a.body)
			}
			if a := r.queue(owner, device, queued, expenseBody, headers...); !strings.Contains(a.body, `"status":"created"`) {
				t.Errorf("batch after %s, cookie %q: %s", name, cookie, a.body)
			}
			if a := r.delta(owner, device, queued, headers...); strings.Contains(a.body, "another account") {
				t.Errorf("delta after %s, cookie %q: %s", name, cookie, a.body)
			}
		}
	}
}

// One browser with two accounts in turn: what the first one queued is parked, by whatever
// request the browser acted for the second, and whatever the device id is.
func TestTheQueueOfTheAccountBeforeIsSetAsideInTheSameBrowser(t *testing.T) {
	r := start(t)
	for name, act := range acts {
		email := strings.ReplaceAll(name, " ", "") + "@example.org"
		first, second := r.register("first."+email), r.register("second."+email)
		browser := []string{"Cookie", r.call("GET", "/api/sync/status", first, "").cookie()}
		queued := time.Now()
		time.Sleep(2 * time.Millisecond) // the queue's clock is in milliseconds
		act(r, first, "one name", browser...)
		if a := r.queue(second, "another name", queued, expenseBody, browser...); !strings.Contains(a.body,
			"Queued by another account") {
			t.Errorf("batch after %s: %s", name, a.body)
		}
		if a := r.delta(second, "another name", queued, browser...); !strings.Contains(a.body, "Queued by another account") {
			t.Errorf("delta after %s: %s", name, a.body)
		}
	}
}
