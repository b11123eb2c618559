package origin

import (
	"bytes"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var quiet = slog.New(slog.DiscardHandler)

func TestOriginsAreReadAsBrowsersSendThem(t *testing.T) {
	for in, want := range map[string]string{
		"https://app.example:443":       "https://app.example",
		"http://app.example:80/":        "http://app.example",
		"http://app.example:443":        "http://app.example:443",
		"HTTPS://App.Example":           "https://app.example",
		"https://bücher.example":        "https://xn--bcher-kva.example",
		"https://STRASSE.example:08443": "https://strasse.example:8443",
		"https://straße.example":        "https://xn--strae-oqa.example",
		"https://a_b.example":           "https://a_b.example",
		"http://[0:0::1]:3000":          "http://[::1]:3000",
		"http://127.0.0.1:5173":         "http://127.0.0.1:5173",
		"capacitor://localhost":         "capacitor://localhost",
		"tauri://localhost":             "tauri://localhost",
		"chrome-extension://abcdefghij": "chrome-extension://abcdefghij",
	} {
		if got, err := Parse(in); got != want || err != nil {
			t.Errorf("Parse(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestOriginsThatCouldNeverMatchAreRefused(t *testing.T) {
	for in, words := range map[string]string{
		"https://*.example": "wildcard", "http://localhost:*": "wildcard", "*": "wildcard",
		"example.org": "does not start", "localhost:3000": "does not start", "null": "does not start", "https://": "does not start",
		"":           "does not start",
		"http://a:b": "does not start", "http://exa mple": "does not start",
		"https://a.example/app": "more than", "https://u@a.example": "more than", "https://a.example?x": "more than",
		"https://a.example#x": "more than",
		"ws://a.example":      "socket", "file://x": "no origin",
		"http://0x7f.1": "neither", "http://1.2.3": "neither", "http://-a.example": "neither", "http://a%2fb": "",
		"http://[::1%25eth0]": "neither",
	} {
		if got, err := Parse(in); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("Parse(%q) = %q, %v; want %q", in, got, err, words)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"https://bücher.example:443/", "http://[::1]:80", "capacitor://localhost", "http://0x7f.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := Parse(s)
		if err != nil {
			return
		}
		if twice, err := Parse(once); err != nil || twice != once {
			t.Fatalf("Parse(%q) = %q, whose own is %q, %v", s, once, twice, err)
		}
	})
}

// request returns GET / to host from a page, with further headers.
func request(host, page string, headers ...string) *http.Request {
	r := httptest.NewRequest("GET", "http://"+host+"/", nil)
	if page != "" {
		r.Header.Set("Origin", page)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func TestWhoMayCall(t *testing.T) {
	none, listed, local := New(nil, false, quiet), New([]string{"https://money.example"}, true, quiet), New(nil, true, quiet)
	tests := []struct {
		name        string
		policy      *Policy
		page        string
		allow       string
		credentials bool
		refused     bool
	}{
		{"anybody, none listed", none, "https://a.example", "*", false, false},
		{"loopback in production", none, "http://localhost:5173", "*", false, false},
		{"no page", none, "", "*", false, false},
		{"loopback by name", local, "http://localhost:5173", "http://localhost:5173", true, false},
		{"loopback by subdomain", local, "http://app.localhost:3001", "http://app.localhost:3001", true, false},
		{"loopback by IPv4", local, "http://127.0.0.1:8080", "http://127.0.0.1:8080", true, false},
		{"loopback by IPv6", local, "https://[::1]:8080", "https://[::1]:8080", true, false},
		{"a name that only looks so", local, "http://localhost.evil.example", "*", false, false},
		{"an app shell is no page of this machine", local, "evil://localhost", "*", false, false},
		{"another address", local, "http://192.168.1.7:5173", "*", false, false},
		{"listed", listed, "https://money.example", "https://money.example", true, false},
		{"listed, in capitals", listed, "HTTPS://Money.Example", "HTTPS://Money.Example", true, false},
		{"listed, by another scheme", listed, "http://money.example", "", false, true},
		{"loopback when others are listed", listed, "http://localhost:5173", "", false, true},
		{"no page when some are listed", listed, "", "", false, false},
		{"a sandboxed frame", listed, "null", "", false, true},
		{"garbage", listed, "https://[", "", false, true},
	}
	for _, tt := range tests {
		r := request("server.example", tt.page)
		allow, credentials := tt.policy.CORS(r)
		if err := tt.policy.Check(r); allow != tt.allow || credentials != tt.credentials || errors.Is(err, ErrRefused) != tt.refused {
			t.Errorf("%s: %q, %v, %v", tt.name, allow, credentials, err)
		}
	}
}

func TestAPageOfOurOwnMayAlways(t *testing.T) {
	const xfHost, xfProto = "X-Forwarded-Host", "X-Forwarded-Proto"
	for _, tt := range []struct {
		name    string
		request *http.Request
		own     bool
	}{
		{"by address", request("192.168.1.7:3000", "http://192.168.1.7:3000"), true},
		{"by localhost", request("localhost:3000", "http://localhost:3000"), true},
		{"by a name without a dot", request("nas:3000", "http://nas:3000"), true},
		{"another port", request("localhost:3000", "http://localhost:3001"), false},
		{"a name that its owner may point here", request("evil.example:3000", "http://evil.example:3000"), false},
		{"such a name, with TLS ended before us", request("money.example", "https://money.example"), true},
		{"the default port", request("money.example:443", "https://money.example"), true},
		{"a proxy says by which scheme", request("money.example", "https://money.example", xfProto, "https"), true},
		{"the page came by another", request("money.example", "http://money.example", xfProto, "https"), false},
		{
			"a proxy that rewrites Host", request("10.0.0.5:3000", "https://money.example", xfHost, "money.example", xfProto, "https"),
			true,
		},
		{
			"two proxies", request("10.0.0.5:3000", "https://money.example", xfHost, "money.example, inner", xfProto, "https, http"),
			true,
		},
		{"a page of the address behind it", request("10.0.0.5:3000", "http://10.0.0.5:3000", xfHost, "money.example"), false},
	} {
		if err := New([]string{"https://other.example"}, false, quiet).Check(tt.request); (err == nil) != tt.own {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	r := request("money.example", "http://money.example")
	r.TLS = &tls.ConnectionState{}
	if New([]string{"https://other.example"}, false, quiet).Check(r) == nil {
		t.Error("a page by plain HTTP passed for one by HTTPS")
	}
}

func TestARefusedOriginIsLoggedOnceAMinuteWithItsRemedy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := New([]string{"https://money.example"}, false, slog.New(slog.NewTextHandler(&out, nil)))
		refuse := func(page string) {
			p.CORS(request("x", page))
			_ = p.Check(request("x", page))
		}
		want := func(lines int) {
			t.Helper()
			if n := strings.Count(out.String(), "\n"); n != lines {
				t.Fatalf("%d lines, want %d:\n%s", n, lines, &out)
			}
		}
		refuse("http://localhost:5173")
		refuse("http://localhost:5173")
		refuse("null")
		want(1)
		if !strings.Contains(out.String(), "setting=\"FRONTEND_URL=https://money.example,http://localhost:5173\"") &&
			!strings.Contains(out.String(), "setting=FRONTEND_URL=https://money.example,http://localhost:5173") {
			t.Errorf("it does not say what to set: %s", &out)
		}
		time.Sleep(61 * time.Second)
		refuse("http://localhost:5173")
		want(2)
		for i := range 100 {
			refuse("https://a" + strings.Repeat("a", i) + ".example")
		}
		want(1 + maxLogged)
	})
}
