package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// The judgements.
const (
	fault   = "fault"
	mended  = "mended"
	see     = "see"
	untried = "untried"
)

// An entry is one fault that was once there.
type entry struct {
	id, about string
	env       []string // settings that it needs
	see       string   // tests that show it, if no request does
	// try does what the entry describes. It says what it observed and whether that
	// is the fault.
	try func(*trial) (observed string, is bool)
}

func (e *entry) judge(ctx context.Context, binary string) (observed, judgement string) {
	if e.see != "" {
		return "see " + e.see, see
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	t := newTrial(ctx, binary, e.env)
	defer t.end()
	observed, is := e.try(t)
	switch {
	case t.err != nil:
		return fmt.Sprintf("could not be tried: %s", firstLine(t.err.Error())), untried
	case is:
		return observed, fault
	}
	return observed, mended
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// mb and ms are how memory and time are told.
func mb(bytes int64) string { return fmt.Sprintf("%d MB", bytes>>20) }

func ms(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
