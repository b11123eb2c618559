package app

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// memoryShare is how much of a container's memory the Go runtime tries to stay within;
// the rest is for what it does not count, such as the kernel's buffers of sockets.
const memoryShare = 0.9

// memoryFiles are where the kernel says how much memory this container may use: control
// groups of version 2, then 1.
var memoryFiles = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// limitMemory has the garbage collector work harder before the container's memory is
// used up, unless GOMEMLIMIT says otherwise.
func limitMemory(log *slog.Logger) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit, ok := containerMemory(memoryFiles); ok {
		debug.SetMemoryLimit(int64(memoryShare * float64(limit)))
		log.Info("the container's memory is limited", slog.Int64("bytes", limit))
	}
}

// containerMemory is the first limit that one of files has; false for none. Version 1
// writes an enormous number for none.
func containerMemory(files []string) (int64, bool) {
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return n, err == nil && n > 0 && n < math.MaxInt64/1024
	}
	return 0, false
}
