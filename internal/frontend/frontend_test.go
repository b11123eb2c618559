package frontend

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// files creates a folder with these files, each of which contains its own name.
func files(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), name)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(filepath.FromSlash(target), path); err != nil {
		t.Skip("this system makes no links: ", err)
	}
}

func opened(t *testing.T, dirs ...string) *Folders {
	t.Helper()
	f, err := Open(dirs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// served returns the content of each file; "" if it is not served.
func served(f *Folders, names ...string) map[string]string {
	got := map[string]string{}
	for _, name := range names {
		if text, err := f.read(name); err == nil {
			got[name] = string(text)
		}
	}
	return got
}

// checkout is like the original's: a server with its pages in public/.
var checkout = []string{
	"package.json", "package-lock.json", "server.js", ".env", ".git/config", "README.md", "Dockerfile", "backup.sql",
	"realtime-sync.js", "api-integration.js", "theme.css", "logo.png", "inter.woff2", "manifest.json", "site.webmanifest",
	"models/User.js", "routes/auth.js", "node_modules/x/index.js", "data/expenseflow.db",
	"public/index.html", "public/trackerscript.js", "public/api/server.js", "public/.htpasswd", "public/notes.txt",
	"public/img/a.svg",
}

func TestACheckoutIsServedAndNothingOfItsServer(t *testing.T) {
	dir := files(t, checkout...)
	further := []string{
		"realtime-sync.js", "api-integration.js", "theme.css", "logo.png", "inter.woff2", "manifest.json", "site.webmanifest",
		"public/index.html", "public/trackerscript.js", "public/img/a.svg",
	}
	public := []string{"index.html", "trackerscript.js", "api/server.js", "notes.txt", "img/a.svg"}
	asked := slices.Concat(checkout, public, []string{
		"SERVER.JS", "Package.json", ".ENV", "public/../.env", "public//.env",
		"package.json.", "server.js ", "server.js::$DATA",
	})
	for _, tt := range []struct {
		name string
		dirs []string
		want []string
	}{
		{"public, then the root", []string{filepath.Join(dir, "public"), dir}, slices.Concat(further, public)},
		{"the root alone", []string{dir}, further},
		{"a folder that is missing, then the root", []string{filepath.Join(dir, "nowhere"), dir}, further},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := served(opened(t, tt.dirs...), asked...)
			for _, name := range asked {
				text, ok := got[name]
				if ok != slices.Contains(tt.want, name) || ok && !strings.HasSuffix(text, name) {
					t.Errorf("%s: served %v (%q)", name, ok, text)
				}
			}
		})
	}
}

func TestTheFirstFolderThatHasAFileWins(t *testing.T) {
	a, b, c := files(t, "only-a.js"), files(t, "both.js", "dir/x.js"), files(t, "both.js", "only-c.js", "dir.js")
	write(t, filepath.Join(b, "both.js"), "b's")
	if err := os.Mkdir(filepath.Join(a, "dir.js"), 0o755); err != nil {
		t.Fatal(err)
	}
	got := served(opened(t, a, b, c), "only-a.js", "both.js", "only-c.js", "dir.js")
	if want := map[string]string{
		"only-a.js": "only-a.js", "both.js": "b's", "only-c.js": "only-c.js",
		"dir.js": "dir.js",
	}; !mapsEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func mapsEqual(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

func TestAFrontendsOwnFolderIsServedWhole(t *testing.T) {
	whole := []string{"index.html", "js/app.js", "js/server.js", "docs/manual.pdf", "a.txt", "assets/models/cube.bin"}
	hidden := []string{
		"package.json", "package-lock.json", ".env", "js/.secret.js", "node_modules/x/x.js", "index.html~",
		"index.html.bak", "js/app.js.orig",
	}
	got := served(opened(t, files(t, slices.Concat(whole, hidden)...)), slices.Concat(whole, hidden)...)
	for _, name := range whole {
		if got[name] != name {
			t.Errorf("%s is not served", name)
		}
	}
	for _, name := range hidden {
		if _, ok := got[name]; ok {
			t.Errorf("%s is served", name)
		}
	}
}

func TestLinksLeadToNothingHidden(t *testing.T) {
	outside := files(t, "secret.txt", "app.js")
	dir := files(t, ".env", ".git/config", "app.js", "css/a.css", "package.json", "server.js", "public/index.html")
	for name, target := range map[string]string{
		"env.js": ".env", "git": ".git", "again.js": "env.js", "out.js": filepath.Join(outside, "app.js"), "above.js": "../" +
			filepath.Base(outside) + "/app.js",
		"outside": outside, "source.js": "server.js", "loop.js": "loop.js", "good.js": "app.js",
	} {
		link(t, target, filepath.Join(dir, name))
	}
	got := served(opened(t, dir), "env.js", "git/config", "again.js", "out.js", "above.js", "outside/app.js", "outside/secret.txt",
		"source.js", "loop.js", "good.js")
	if want := map[string]string{"good.js": "app.js"}; !mapsEqual(got, want) {
		t.Errorf("served %v, want %v", got, want)
	}
}

func TestAFolderReachedByALinkIsServed(t *testing.T) {
	dir, at := files(t, "index.html"), filepath.Join(t.TempDir(), "current")
	link(t, dir, at)
	if got := served(opened(t, at), "index.html"); got["index.html"] == "" {
		t.Error("it is not")
	}
}

func TestFoldersAreAFileSystem(t *testing.T) {
	f := opened(t, files(t, "index.html", "js/app.js", "css/a.css"))
	for _, name := range []string{".", "js"} {
		if info, err := fs.Stat(f, name); err != nil || !info.IsDir() {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := fstest.TestFS(f, "index.html", "js/app.js", "css/a.css"); err != nil {
		t.Error(err)
	}
}

func FuzzOpen(f *testing.F) {
	for _, s := range []string{
		"index.html", "../x", "public/../.env", "a\\..\\.env", "C:\\x", "public/%2e%2e/.env", ".",
		"public/.", "\x00",
	} {
		f.Add(s)
	}
	dir := f.TempDir()
	for _, name := range checkout {
		path := filepath.Join(dir, filepath.FromSlash(name))
		_ = os.MkdirAll(filepath.Dir(path), 0o755)
		_ = os.WriteFile(path, []byte("text of "+name), 0o600)
	}
	folders, err := Open([]string{filepath.Join(dir, "public"), dir})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		text, err := folders.read(name)
		for _, hidden := range []string{".env", ".git", "node_modules", "models", ".htpasswd", ".db", ".sql", "text of server.js"} {
			if err == nil && strings.Contains(string(text), hidden) {
				t.Fatalf("%q gives %s", name, text)
			}
		}
	})
}
