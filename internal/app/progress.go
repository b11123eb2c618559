package app

import (
	"fmt"
	"io"
	"time"
)

// A progress tells on a terminal what a command is doing, if that takes longer than two seconds.
type progress struct {
	to   io.Writer
	next time.Time // when it tells again
}

// progressPause is for how long a command may be silent.
const progressPause = 2 * time.Second

func newProgress(to io.Writer) *progress { return &progress{to, time.Now().Add(progressPause)} }

// tell prints the line if it is time.
func (p *progress) tell(format string, args ...any) {
	if now := time.Now(); now.After(p.next) {
		p.next = now.Add(progressPause)
		fmt.Fprintf(p.to, format+"\n", args...)
	}
}

// bytesText is a size for people.
func bytesText(n int64) string {
	const kib, mib, gib = 1 << 10, 1 << 20, 1 << 30
	switch {
	case n < mib:
		return fmt.Sprintf("%.0f KiB", float64(n)/kib)
	case n < gib:
		return fmt.Sprintf("%.1f MiB", float64(n)/mib)
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/gib)
}
