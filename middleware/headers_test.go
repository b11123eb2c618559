package middleware

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// HSTS for localhost would apply to the plain HTTP ports of other programs too.
func TestHTTPSIsAskedForWithTLSAndNotOfLocalhost(t *testing.T) {
	h := SecurityHeaders(http.NotFoundHandler())
	for url, want := range map[string]string{
		"https://money.example.org/": hstsYear, "https://money.example.org:8443/": hstsYear,
		"http://money.example.org/": "", "https://localhost:3000/": "", "https://a.LOCALHOST./": "",
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", url, nil))
		if got := w.Header().Get("Strict-Transport-Security"); got != want {
			t.Errorf("%s: %q", url, got)
		}
	}
}
