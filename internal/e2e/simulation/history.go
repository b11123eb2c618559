package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// A history is what happened in a cluster, for people to read.
type history struct{ lines []byte }

func (h *history) add(format string, args ...any) {
	h.lines = append(fmt.Appendf(h.lines, format, args...), '\n')
}

func (h *history) text() string { return string(h.lines) }

// failed says what went wrong with a history, and how to play it again; nil for
// nothing.
func (h *history) failed(what string, n int64, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s\n%s %d: %w", h.text(), what, n, err)
}

// hash tells two histories apart.
func (h *history) hash() string {
	sum := sha256.Sum256(h.lines)
	return hex.EncodeToString(sum[:8])
}
