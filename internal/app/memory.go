package app

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// memoryShare is how much of a container's memory the Go runtime may use; the rest is for
// what the runtime does not count, such as the kernel's buffers of sockets.
const memoryShare = 0.9

// memoryFiles have the memory limit of this container: control groups of version 2,
// then 1.
var memoryFiles = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// limitMemory sets the memory limit of the Go runtime to memoryShare of the container's,
// unless GOMEMLIMIT is set: the garbage collector works harder near it.
func limitMemory(log *slog.Logger) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit, ok := containerMemory(memoryFiles); ok {
		debug.SetMemoryLimit(int64(memoryShare * float64(limit)))
		log.Info("the container's memory is limited", slog.Int64("bytes", limit))
	}
}

// containerMemory returns the limit in the first of files that exists, in bytes. ok is
// false if there is no limit, for which version 1 has an enormous number.
func containerMemory(files []string) (limit int64, ok bool) {
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
