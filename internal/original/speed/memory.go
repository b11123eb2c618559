package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// A sample is the resident memory of a process at one time.
type sample struct {
	at time.Duration
	mb int
}

// interval is how often memory is read.
const interval = 500 * time.Millisecond

// watch samples the memory of a process until the returned function is called. Where there is
// no /proc there are no samples.
func watch(pid int, began time.Time) (stop func() []sample) {
	var all []sample
	ended := make(chan struct{})
	var g sync.WaitGroup
	g.Go(func() {
		for {
			if mb := resident(pid); mb > 0 {
				all = append(all, sample{time.Since(began), mb})
			}
			select {
			case <-ended:
				return
			case <-time.After(interval):
			}
		}
	})
	return func() []sample {
		close(ended)
		g.Wait()
		return all
	}
}

// resident returns the memory of a process in MB; 0 if it is not known.
func resident(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(status, []byte("VmRSS:"))
	var kb int
	_, _ = fmt.Sscan(string(after), &kb) // it is 0 then
	return kb >> 10
}

func peak(all []sample) (mb int) {
	for _, s := range all {
		mb = max(mb, s.mb)
	}
	return mb
}

func middle(all []sample) int {
	if len(all) == 0 {
		return 0
	}
	return all[len(all)/2].mb
}

// Sizes of the picture in pixels.
const width, height, margin = 640, 240, 48

// plot draws memory over time.
func plot(path string, all []sample, title string) error {
	if len(all) == 0 {
		return nil
	}
	last, top := all[len(all)-1].at, max(peak(all), 1)
	var line strings.Builder
	for _, s := range all {
		fmt.Fprintf(&line, "%.1f,%.1f ", margin+float64(width-2*margin)*s.at.Seconds()/last.Seconds(),
			height-margin-float64(height-2*margin)*float64(s.mb)/float64(top))
	}
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
<rect width="100%%" height="100%%" fill="#fff"/>
<text x="%d" y="20">Memory of expenseflow import mongo: %s</text>
<path d="M%d %dV%dH%d" fill="none" stroke="#888"/>
<polyline points="%s" fill="none" stroke="#0a6" stroke-width="2"/>
<text x="8" y="%d">%d MB</text><text x="8" y="%d">0</text><text x="%d" y="%d" text-anchor="end">%.0f s</text>
</svg>
`, width, height, margin, title, margin, margin, height-margin, width-margin, line.String(),
		margin, top, height-margin, width-margin, height-margin+16, last.Seconds())
	return os.WriteFile(path, []byte(svg), 0o644)
}
