package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A history is what happened in a schedule, in the order in which it was seen.
type history struct {
	began time.Time

	mu       sync.Mutex
	lines    []string
	attached string
}

// attach keeps a text for the end, behind what is there.
func (h *history) attach(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.attached += text
}

// add writes one line: when, who, what. Long texts are cut.
func (h *history) add(who, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if len(what) > 600 {
		what = what[:600] + "..."
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, fmt.Sprintf("%9.4f  %-10s %s", time.Since(h.began).Seconds(), who, what))
}

// write keeps the history in folder, under a header that names how to run it again
// and what was wrong, and gives the file's path.
func (h *history) write(folder string, o *outcome) (string, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(folder, fmt.Sprintf("chaos-%s-%s-%d.txt", o.job.on.file(), o.job.class.name, o.job.seed))
	h.mu.Lock()
	defer h.mu.Unlock()
	text := fmt.Sprintf("%s\n\nWrong:\n  %s\n\nHistory (seconds, who, what):\n%s\n\n%s\n",
		o.job.again(), strings.Join(o.wrong, "\n  "), strings.Join(h.lines, "\n"), h.attached)
	return path, os.WriteFile(path, []byte(text), 0o644)
}
