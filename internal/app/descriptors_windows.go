package app

// descriptors is 0: Windows has no limit that a process could run into.
func descriptors() uint64 { return 0 }
