package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettingsOfHTTPS(t *testing.T) {
	pem := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(pem, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		environ  []string
		redirect string
		problems []string
	}{
		{nil, "", []string{}},
		{[]string{"AUTOCERT_DOMAINS=Money.example.org., www.money.example.org"}, ":80", []string{}},
		{[]string{"AUTOCERT_DOMAINS=money.example.org", "REDIRECT_ADDR=none"}, "", []string{}},
		{[]string{"AUTOCERT_DOMAINS=money.example.org", "REDIRECT_ADDR=127.0.0.1:8080"}, "127.0.0.1:8080", []string{}},
		{[]string{"AUTOCERT_DOMAINS=https://money.example.org"}, "", []string{"AUTOCERT_DOMAINS"}},
		{[]string{"AUTOCERT_DOMAINS=money.example.org:443"}, "", []string{"AUTOCERT_DOMAINS"}},
		{[]string{"AUTOCERT_DOMAINS=*.example.org"}, "", []string{"AUTOCERT_DOMAINS"}},
		{[]string{"AUTOCERT_DOMAINS=localhost"}, "", []string{"AUTOCERT_DOMAINS"}},
		{[]string{"AUTOCERT_DOMAINS=10.0.0.1"}, "", []string{"AUTOCERT_DOMAINS"}},
		{[]string{"AUTOCERT_DOMAINS=" + strings.Repeat("a", 64) + ".org"}, "", []string{"AUTOCERT_DOMAINS"}},
		{
			[]string{"AUTOCERT_DOMAINS=money.example.org", "AUTOCERT_DIRECTORY=http://plain.example.org"},
			":80",
			[]string{"AUTOCERT_DIRECTORY"},
		},
		{[]string{"AUTOCERT_DOMAINS=money.example.org", "AUTOCERT_CA_FILE=/nowhere"}, ":80", []string{"AUTOCERT_CA_FILE"}},
		{[]string{"AUTOCERT_DOMAINS=money.example.org", "REDIRECT_ADDR=8080"}, "8080", []string{"REDIRECT_ADDR"}},
		{[]string{"REDIRECT_ADDR=:80"}, ":80", []string{"REDIRECT_ADDR"}},
		{
			[]string{"AUTOCERT_DOMAINS=money.example.org", "TLS_CERT_FILE=" + pem, "TLS_KEY_FILE=" + pem},
			":80",
			[]string{"AUTOCERT_DOMAINS"},
		},
	} {
		cfg, ps := load(t, nil, tt.environ...)
		if diff := cmp.Diff(tt.problems, append([]string{}, names(ps)...)); diff != "" || cfg.Redirect() != tt.redirect {
			t.Errorf("%v: redirects at %q, problems (-want +got):\n%s%v", tt.environ, cfg.Redirect(), diff, ps)
		}
	}
	cfg, _ := load(t, nil, "AUTOCERT_DOMAINS=Money.example.org., www.money.example.org")
	if !cfg.HTTPS() || !slices.Equal(cfg.AutocertDomains, Domains{"money.example.org", "www.money.example.org"}) {
		t.Errorf("HTTPS %v, domains %v", cfg.HTTPS(), cfg.AutocertDomains)
	}
}
