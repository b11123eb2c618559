//go:build linux || darwin || freebsd

package doctor

import "golang.org/x/sys/unix"

// diskSpace returns what of a folder's disk this user may still write, and its size, in bytes.
func diskSpace(folder string) (free, total uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, 0, err
	}
	size := uint64(s.Bsize)
	return uint64(s.Bavail) * size, uint64(s.Blocks) * size, nil //nolint:unconvert // FreeBSD has a signed Bavail
}
