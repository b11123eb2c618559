package sockets

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/engineio"
)

// logLines receives the lines of a log.
type logLines chan string

func (l logLines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestNobodyCouldSayWhyASocketEnded(t *testing.T) {
	lines := make(logLines, 100)
	log := slog.New(slog.NewTextHandler(lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w := newFixture(t, Options{Logger: log}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	w.open(t, "a")
	w.SignOut("alice", "")

	const want = `msg="socket disconnected" user_id=alice reason="server namespace disconnect"`
	for {
		select {
		case line := <-lines:
			if strings.Contains(line, want) {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("no line %s", want)
		}
	}
}

// A socket that has reached its age is closed, and its client continues where it was.
func TestASocketIsClosedForItsAge(t *testing.T) {
	const age = time.Second
	w := newFixture(t, Options{MaxAge: age}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	began := time.Now()
	c := w.open(t, "a")
	c.wantClosed()
	if d := time.Since(began); d < age*4/5 {
		t.Errorf("it was closed after %v", d)
	}
}
