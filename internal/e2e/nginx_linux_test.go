package e2e

import (
	"net"
	"net/http"
	"strings"
	"testing"
)

// The failed sign-ins of one visitor must not lock out another behind the same
// proxy. Only Linux gives every process the whole of 127.0.0.0/8 to call from.
func TestNginxNamesTheVisitor(t *testing.T) {
	t.Parallel()
	p := start(t, "TRUSTED_PROXIES=127.0.0.1", "AUTH_RATE_LIMIT=1/15m")
	url := startNginx(t, p)
	signIn := func(visitor string) answer {
		return callFrom(t, visitor, url+"/api/auth/login", `{"email":"nobody@example.test","password":"wrong password"}`)
	}
	signIn("127.0.0.2").want(t, http.StatusBadRequest)
	signIn("127.0.0.2").want(t, http.StatusTooManyRequests)
	signIn("127.0.0.3").want(t, http.StatusBadRequest)
}

// callFrom posts body from an address of its own on this machine.
func callFrom(t *testing.T, visitor, url, body string) answer {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitor)}}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}
	res, err := (&http.Client{Transport: transport, Timeout: patience}).Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return answer{status: res.StatusCode, header: res.Header}
}
