package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A usage is what a process needed.
type usage struct {
	took, cpu time.Duration // cpu with that of the programs that it ran
	memory    []sample
}

// watched runs a command. records returns how many records it is done with; it may be nil.
func watched(cmd *exec.Cmd, records func() int64) (u usage, err error) {
	if records == nil {
		records = func() int64 { return 0 }
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return u, err
	}
	samples := watch(cmd.Process.Pid, records)
	err = cmd.Wait()
	u.took, u.memory = time.Since(began), samples()
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return u, err
}

// A sample is the memory of a process when it was done with so many records.
type sample struct {
	records int64
	mb      int // resident, with that of the programs that it runs
}

// A progress passes on what a command says, and remembers the last number of records in it.
type progress struct {
	to   io.Writer
	done atomic.Int64
}

var recordsDone = regexp.MustCompile(`(\d+) of \d+`)

// Write implements io.Writer.
func (p *progress) Write(b []byte) (int, error) {
	if all := recordsDone.FindAllSubmatch(b, -1); len(all) > 0 {
		n, _ := strconv.ParseInt(string(all[len(all)-1][1]), 10, 64) // it is of digits
		p.done.Store(n)
	}
	return p.to.Write(b)
}

func (p *progress) records() int64 { return p.done.Load() }

// interval is how often memory is read.
const interval = 500 * time.Millisecond

// watch samples the memory of a process until the returned function is called. Where there is
// no /proc there are no samples.
func watch(pid int, records func() int64) (stop func() []sample) {
	var all []sample
	ended := make(chan struct{})
	var g sync.WaitGroup
	g.Go(func() {
		for {
			if mb := resident(pid); mb > 0 {
				all = append(all, sample{records(), mb})
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

// resident returns the memory of a process and of those that it started in MB; 0 if it is not known.
func resident(pid int) int {
	mb := residentAlone(pid)
	children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is sound
	for _, path := range children {
		pids, _ := os.ReadFile(path) // a thread may have ended
		for _, child := range strings.Fields(string(pids)) {
			if n, err := strconv.Atoi(child); err == nil {
				mb += resident(n)
			}
		}
	}
	return mb
}

func residentAlone(pid int) int {
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

// plot draws memory against records, of which there are so many.
func plot(path string, all []sample, records int64, title string) error {
	if len(all) == 0 {
		return nil
	}
	top := max(peak(all), 1)
	var line strings.Builder
	for _, s := range all {
		fmt.Fprintf(&line, "%.1f,%.1f ", margin+float64(width-2*margin)*float64(min(s.records, records))/float64(records),
			height-margin-float64(height-2*margin)*float64(s.mb)/float64(top))
	}
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
<rect width="100%%" height="100%%" fill="#fff"/>
<text x="%d" y="20">Memory of expenseflow import mongo: %s</text>
<path d="M%d %dV%dH%d" fill="none" stroke="#888"/>
<polyline points="%s" fill="none" stroke="#0a6" stroke-width="2"/>
<text x="8" y="%d">%d MB</text><text x="8" y="%d">0</text><text x="%d" y="%d" text-anchor="end">%d records</text>
</svg>
`, width, height, margin, title, margin, margin, height-margin, width-margin, line.String(),
		margin, top, height-margin, width-margin, height-margin+16, records)
	return os.WriteFile(path, []byte(svg), 0o644)
}
