package frontend

import (
	"path/filepath"
	"strings"
	"testing"
)

// Credentials of the frontend's own server were served without a warning.
func TestCredentialsInAFolderThatIsServedAreNamedAtTheStart(t *testing.T) {
	names := []string{
		"index.html", "app.js", "package.json", "manifest.json", "data.json", "config.js", "secretary.html/x.js", ".env",
		"my-service-account.json", "Google_Credentials.json", "client_secret.json", "server.key.json", "tls.pem",
	}
	first, second := files(t, names...), files(t, append(names, "public/firebase-adminsdk-1.json")...)
	write(t, filepath.Join(second, "config.json"), `{"type": "x", "private_key": "-----BEGIN PRIVATE KEY-----"}`)
	write(t, filepath.Join(second, "keys.js"), "export default `-----BEGIN RSA PRIVATE KEY-----`;")
	warnings := opened(t, first, second).Warnings(ours)
	if len(warnings) != 1 {
		t.Fatalf("warnings %q", warnings)
	}
	list, _, _ := strings.Cut(strings.TrimPrefix(warnings[0], "STATIC_DIR publishes files that look like credentials: "),
		". Anybody")
	for _, want := range []string{
		filepath.Join(first, "my-service-account.json"), filepath.Join(first, "Google_Credentials.json"),
		filepath.Join(first, "client_secret.json"),
		filepath.Join(first, "server.key.json"), filepath.Join(first, "tls.pem"),
		filepath.Join(second, "config.json"), filepath.Join(second, "keys.js"),
	} {
		if !strings.Contains(list+",", want+",") {
			t.Errorf("%s is not named in %q", want, list)
		}
	}
	for _, other := range []string{
		"index.html", "app.js", "package.json", "manifest.json", "data.json", "config.js,", ".env",
		filepath.Join(second, "tls.pem"),
	} {
		if strings.Contains(list+",", other) {
			t.Errorf("%s is named in %q", other, list)
		}
	}
	if got := opened(t, files(t, "index.html", "app.js")).Warnings(ours); len(got) != 0 {
		t.Errorf("warnings without credentials: %q", got)
	}
}
