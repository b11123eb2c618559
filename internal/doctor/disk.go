package doctor

import "fmt"

// A Disk is how much room there is where a folder is, in bytes.
type Disk struct {
	Folder      string
	Free, Total uint64
}

// DiskOf returns the disk of a folder.
func DiskOf(folder string) (Disk, error) {
	free, total, err := diskSpace(folder)
	return Disk{folder, free, total}, err
}

const (
	mostLow = 5 << 30   // so much is enough on a disk of any size
	noDisk  = 100 << 20 // with less a low disk may be full at any moment
)

// Low is how much should be free: a tenth of the disk, 5 GiB at most.
func (d Disk) Low() uint64 { return min(d.Total/10, mostLow) }

// IsLow reports whether less is free than should be.
func (d Disk) IsLow() bool { return d.Free < d.Low() }

func (d Disk) String() string {
	return fmt.Sprintf("%s of %s are free in %s", bytesText(d.Free), bytesText(d.Total), d.Folder)
}

func (d Disk) judge() Finding {
	const fix = "free some, or move DATA_DIR to a larger disk: a full one refuses changes with 503 and loses nothing"
	switch {
	case d.IsLow() && d.Free < noDisk:
		return failed(fix, "%s", d)
	case d.IsLow():
		return warning(fix, "%s", d)
	}
	return ok("%s", d)
}
