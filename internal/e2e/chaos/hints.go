package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// hintsWithin is how soon hints flow again between all processes after the faults: one whose
// connection was silent may wait for half a minute before it tries again.
const hintsWithin = 45 * time.Second

// forHints waits until every process says that hints flow.
func (w *wait) forHints() {
	if len(w.s.cluster.servers) < 2 {
		return
	}
	for late := w.s.mended.Add(hintsWithin); ; hold(10 * settling) {
		wrong := w.s.cluster.silent()
		if wrong == "" {
			return
		}
		if time.Now().After(late) {
			w.s.wrong("hints: %v after the faults, %s", hintsWithin, wrong)
			return
		}
	}
}

// silent says which process hears no hints; "" if each does.
func (h *cluster) silent() string {
	for i, server := range h.servers {
		if state, err := server.check("hints"); err != nil || state != "ok" {
			return fmt.Sprintf("process %d says %q of them (%v)", i, state, err)
		}
	}
	return ""
}

// check is what the server says of a check of its readiness.
func (s *server) check(name string) (string, error) {
	res, err := probe.Get(s.url() + "/readyz")
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var report struct{ Checks map[string]string }
	if err := json.NewDecoder(res.Body).Decode(&report); err != nil || res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d: %w", res.StatusCode, err)
	}
	return report.Checks[name], nil
}
