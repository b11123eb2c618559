package app

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"

	"expenseflow/internal/config"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// probes are paths that are answered outside of BASE_PATH too: balancers and orchestrators
// ask a process for its health directly, not by the address of browsers.
var probes = []string{"/healthz", "/readyz", "/health"}

// underBase serves next below BASE_PATH. It takes that path off, so that nothing behind it
// knows of it, and is the only place that does. What is outside is 404 with a sentence.
//
// Requests that processes forward to each other come without it (cluster.Receive).
func underBase(base config.BasePath, log *slog.Logger, next http.Handler) http.Handler {
	if base == "" {
		return next
	}
	outside := outsideBase(base, log)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inside, ok := base.Strip(r.URL)
		switch {
		case ok:
			stripped := *r
			stripped.URL = inside
			next.ServeHTTP(w, &stripped)
		case slices.Contains(probes, r.URL.Path):
			next.ServeHTTP(w, r)
		default:
			outside.ServeHTTP(w, r)
		}
	})
}

// outsideBase answers what is not below BASE_PATH: that path without its slash by a redirect,
// since the addresses in the page are relative, and everything else with 404. There is no
// redirect from "/": behind a proxy that removes the path it would lead back to itself.
func outsideBase(base config.BasePath, log *slog.Logger) http.Handler {
	text := "This server is at " + base.Home() + ": a proxy in front of it has to leave the path as it is (BASE_PATH)"
	var warned sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == string(base) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			http.Redirect(w, r, withQuery(base.Home(), r.URL.RawQuery), http.StatusFound)
			return
		}
		warned.Do(func() {
			log.Warn("a request outside of BASE_PATH was answered with 404: if the proxy removes that path, leave BASE_PATH empty",
				slog.String("base_path", string(base)), slog.String("path", r.URL.Path[:min(len(r.URL.Path), maxOutsidePath)]))
		})
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNotFound)
		_ = json.NewEncoder(w).Encode(wire.NewErrorBody(models.E(models.NotFound, text))) // fails only if the client has gone
	})
}

// maxOutsidePath is the maximum number of bytes of a path in the log.
const maxOutsidePath = 256

func withQuery(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// isAPI reports whether a path below BASE_PATH is one that programs call, not a page.
func isAPI(path string) bool {
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, socketPath)
}

// socketPath is where sockets are.
const socketPath = "/socket.io/"
