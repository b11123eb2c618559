package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// spareDescriptors are those that a process needs beside its sockets.
const spareDescriptors = 500

// checkLimits says in one sentence which limit of the system is too low for n sockets, each of
// them in two processes of at most each sockets.
func checkLimits(n, each int) error {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return err
	}
	if most := int(files.Max) - spareDescriptors; each > most {
		return fmt.Errorf("%d sockets a process are more than its limit of %d open files allows: raise it (ulimit -Hn, "+
			"LimitNOFILE=) or use -processes %d", each, files.Max, (n+most-1)/most)
	}
	for _, k := range []struct {
		file string
		need int
	}{
		{"fs/file-max", 2*n + 10_000},
		{"net/netfilter/nf_conntrack_max", 2*n + 1000}, // loopback is tracked where the firewall is stateful
	} {
		most, known := kernelSetting(k.file)
		if known && most < k.need {
			name := strings.ReplaceAll(k.file, "/", ".")
			return fmt.Errorf("%d sockets need %s to be at least %d, and it is %d: sysctl -w %s=%d", n, name, k.need, most, name, k.need)
		}
	}
	return nil
}

// kernelSetting reads a number below /proc/sys; false if this kernel has none there.
func kernelSetting(file string) (int, bool) {
	b, err := os.ReadFile("/proc/sys/" + file)
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	return n, err == nil
}
