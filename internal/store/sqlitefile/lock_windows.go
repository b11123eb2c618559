package sqlitefile

import (
	"errors"
	"syscall"
)

// sharingViolation is ERROR_SHARING_VIOLATION.
const sharingViolation = syscall.Errno(32)

// fileFlagOpenReparsePoint is FILE_FLAG_OPEN_REPARSE_POINT: a symbolic link is not followed.
const fileFlagOpenReparsePoint = 0x00200000

// Lock opens the file for this process alone, which the system undoes when
// the process ends, however it ends. ErrInUse if another process has it.
func Lock(path string) (release func() error, err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL|fileFlagOpenReparsePoint, 0)
	if errors.Is(err, sharingViolation) {
		return nil, ErrInUse
	}
	if err != nil {
		return nil, err
	}
	return func() error { return syscall.CloseHandle(h) }, nil
}

// OneName refuses nothing: Windows lets no second process open the file.
func OneName(string) error { return nil }
