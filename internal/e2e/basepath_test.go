package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"expenseflow/internal/testneed"
)

// siteProxies serve two programs on one origin, by the files that users get: the first below
// its BASE_PATH, and the second below /b, which is taken off. They give the address of the
// site.
var siteProxies = map[string]func(t *testing.T, below, stripped *program) (url string){
	"nginx": startSiteNginx, "Caddy": startSiteCaddy,
}

func startSiteNginx(t *testing.T, below, stripped *program) string {
	t.Helper()
	snippet := filepath.Join("..", "..", "docs", "deploy", "nginx-below-path.conf")
	part := func(path, target string) string {
		return edited(t, snippet, map[string]string{
			"location /money/ {": "location " + path + "/ {", "proxy_pass http://127.0.0.1:3000;": "proxy_pass http://" + target + ";",
		})
	}
	path, dir, addr := testneed.Nginx(t), t.TempDir(), freeAddr(t)
	writeFile(t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf(nginxMain, dir))
	writeFile(t, filepath.Join(dir, "expenseflow.conf"), "server {\nlisten "+addr+";\nlocation / { return 404; }\n"+
		part(below.base, below.addr())+part("/b", stripped.addr()+"/")+"}\n")
	startBalancer(t, addr, exec.Command(path, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr"))
	return "http://" + addr
}

func startSiteCaddy(t *testing.T, below, stripped *program) string {
	t.Helper()
	snippet := filepath.Join("..", "..", "docs", "deploy", "Caddyfile-below-path")
	part := func(path, handle, target string) string {
		return edited(t, snippet, map[string]string{
			"handle /money {": "handle " + path + " {", "redir * /money/": "redir * " + path + "/",
			"handle /money/* {": handle + " " + path + "/* {", "reverse_proxy 127.0.0.1:3000 {": "reverse_proxy " + target + " {",
		})
	}
	path, dir, addr := testneed.Caddy(t), t.TempDir(), freeAddr(t)
	writeFile(t, filepath.Join(dir, "Caddyfile"), "{\n\tadmin off\n}\nhttp://"+addr+" {\nhandle {\nrespond 404\n}\n"+
		part(below.base, "handle", below.addr())+part("/b", "handle_path", stripped.addr())+"}\n")
	cmd := exec.Command(path, "run", "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile")
	cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	startBalancer(t, addr, cmd)
	return "http://" + addr
}

func TestEveryTransportBelowAPath(t *testing.T) {
	t.Parallel()
	for name, start := range siteProxies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below, stripped, n := startRaced(t, "BASE_PATH=/a"), sqliteRaced(t), startNode(t)
			site := start(t, below, stripped)
			for path, p := range map[string]*program{"/a": below, "/b": stripped} {
				for _, tr := range transports {
					a := register(t, p)
					d := n.connectAt(t, site+path, a, tr)
					made := a.create(t, "seen below a path", "")
					if got := idOf(d.hear(t, 1, "expense_created")[0]); got != made.ID {
						t.Errorf("%s by %s: heard of %s, want %s", path, tr.name, got, made.ID)
					}
				}
			}
			call(t, http.MethodGet, site+"/api/health", "", nil).want(t, http.StatusNotFound)
		})
	}
}

// The page is whole below a path, whether the proxy takes that off or not, and the pages of two
// installations on one origin do not meet.
func TestPagesOfTwoInstallationsOnOneOrigin(t *testing.T) {
	for name, startSite := range siteProxies {
		t.Run(name, func(t *testing.T) {
			below, stripped, b := start(t, "BASE_PATH=/a"), start(t), startBrowser(t)
			site := startSite(t, below, stripped)
			who, one, other := twoWindows(t, b, site+"/a")
			one.add(t, "Lunch", "12.50")
			other.awaitRows(t, "Lunch −12.50")
			one.do(t, "goto", map[string]any{"url": site + "/a/#entries?q=lunch"})
			one.do(t, "reload", nil)
			one.awaitRows(t, "Lunch −12.50")
			one.do(t, "installed", nil)

			second := newPerson()
			tab := one.tab(t, site+"/b")
			tab.register(t, second)
			tab.add(t, "Rent", "900")
			tab.awaitRows(t, "Rent −900.00")
			tab.do(t, "installed", nil)
			var workers []string
			tab.into(t, &workers, "workers")
			if want := []string{"/a/", "/a/expenseflow-page", "/b/", "/b/expenseflow-page"}; !slices.Equal(workers, want) {
				t.Errorf("workers and caches: %q, want %q", workers, want)
			}
			one.do(t, "reload", nil)
			one.awaitRows(t, "Lunch −12.50")
			one.awaitStatus(t, "Live")
			same(t, "entries of the first", 1, len(who.account(t, below).expenses(t)))
			same(t, "entries of the second", 1, len(second.account(t, stripped).expenses(t)))

			if err := below.stop(); err != nil {
				t.Fatal(err)
			}
			one.do(t, "reload", nil)
			one.awaitRows(t, "Lunch −12.50")
			tab.press(t, "Sign out")
			tab.awaitButton(t, "Sign in")
			kept := one.stored(t)
			if !strings.Contains(kept, "/a/expenseflow.session") || strings.Contains(kept, "/b/expenseflow.session") {
				t.Errorf("after the sign-out of the one, both keep %s", kept)
			}
		})
	}
}
