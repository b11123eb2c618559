package doctor

import "golang.org/x/sys/windows"

// diskSpace returns what of a folder's disk this user may still write, and its size, in bytes.
func diskSpace(folder string) (free, total uint64, err error) {
	name, err := windows.UTF16PtrFromString(folder)
	if err == nil {
		err = windows.GetDiskFreeSpaceEx(name, &free, &total, nil)
	}
	return free, total, err
}
