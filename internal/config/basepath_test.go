package config

import (
	"net/url"
	"strings"
	"testing"
)

func TestBasePaths(t *testing.T) {
	for text, want := range map[string]BasePath{
		"/": "", "/money": "/money", " /money ": "/money", "/a/b.c/~d-e_f": "/a/b.c/~d-e_f", "/...": "/...",
	} {
		if cfg, ps := load(t, nil, "BASE_PATH="+text); len(ps) != 0 || cfg.BasePath != want {
			t.Errorf("%s: %q, %v", text, cfg.BasePath, ps)
		}
	}
	for text, why := range map[string]string{
		"money": "does not begin with a slash", "https://example.org/money": "does not begin with a slash",
		"/money/": "ends with a slash", "//": "ends with a slash", "/a/../b": "has . or ..", "/.": "has . or ..",
		"//money": "has something else", "/a//b": "has something else", "/mo ney": "has something else",
		"/m%6Fney": "has something else", "/geld€": "has something else", "/a;b": "has something else", "/a?b": "has something else",
		"/" + strings.Repeat("a", 256): "is too long",
	} {
		_, ps := load(t, nil, "BASE_PATH="+text)
		const fix = "Set BASE_PATH, for example BASE_PATH=/money."
		if len(ps) != 1 || !strings.HasPrefix(ps[0].Text, "BASE_PATH="+text+" "+why) || ps[0].Fix != fix {
			t.Errorf("%s: %v", text, ps)
		}
	}
}

func TestAFrontendBelowAPathIsWarnedOf(t *testing.T) {
	cfg, _ := load(t, map[string]string{"index.html": ""}, "BASE_PATH=/money", "STATIC_DIR="+t.TempDir(), good)
	if !strings.Contains(strings.Join(cfg.Warnings, " "), "BASE_PATH") {
		t.Error(cfg.Warnings)
	}
}

// What is below a path is what is left of it, which begins with a slash, and nothing else is.
func FuzzStrip(f *testing.F) {
	for _, path := range []string{
		"/money/", "/money", "/moneybag/", "/money//x", "/money/%2e%2e/x", "/%6Doney/x", "/money/a%2Fb", "*", "",
	} {
		f.Add(path)
	}
	const base = BasePath("/money")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.ParseRequestURI(text)
		if err != nil {
			return
		}
		before := *u
		inside, ok := base.Strip(u)
		if *u != before {
			t.Fatalf("%q was changed", text)
		}
		if ok != strings.HasPrefix(u.EscapedPath(), "/money/") {
			t.Fatalf("%q is below: %v", text, ok)
		}
		if ok && ("/money"+inside.EscapedPath() != u.EscapedPath() || "/money"+inside.Path != u.Path || inside.RawQuery != u.RawQuery) {
			t.Fatalf("%q became %q", text, inside)
		}
	})
}
