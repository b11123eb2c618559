package auth

import (
	"strings"
	"testing"
)

func TestABrowserIsCalledAsPeopleCallIt(t *testing.T) {
	for _, tt := range []struct{ agent, want string }{
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0", "Firefox on Windows"},
		{"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"},
		{"Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0", "Firefox on Android"},
		{
			"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) " +
				"FxiOS/144.0 Mobile/15E148 Safari/604.1", "Firefox on iPhone",
		},
		{
			"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) " +
				"Version/18.5 Mobile/15E148 Safari/604.1", "Safari on iPhone",
		},
		{
			"Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0 Mobile/15E148 Safari/604.1",
			"Chrome on iPad",
		},
		{
			"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
			"Safari on Mac",
		},
		{
			"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
			"Edge on Windows",
		},
		{
			"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
			"Samsung Internet on Android",
		},
		{
			"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 OPR/126.0.0.0",
			"Opera on ChromeOS",
		},
		{
			"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36",
			"Chrome on Linux",
		},
		{"Firefox/1", "Firefox"},
		{"curl/8.5.0 (Windows)", "Windows"},
		{"node-XMLHttpRequest", ""},
		{"", ""},
	} {
		if got := ClientName(tt.agent); got != tt.want {
			t.Errorf("%q is %q, want %q", tt.agent, got, tt.want)
		}
	}
}

// Nothing that a client sends is shown to its user as the name of a device.
func FuzzClientNameIsOfOurWords(f *testing.F) {
	f.Add("<b>Firefox/ on your router</b> Windows\x00")
	f.Fuzz(func(t *testing.T, agent string) {
		name := ClientName(agent)
		for _, p := range append(browsers, systems...) {
			if rest, found := strings.CutPrefix(name, p.name); found && (rest == "" || strings.HasPrefix(rest, " on ")) {
				return
			}
		}
		if name != "" {
			t.Errorf("%q became %q", agent, name)
		}
	})
}
