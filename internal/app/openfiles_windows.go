package app

// maxOpenFiles returns 0: Windows has no limit that matters here.
func maxOpenFiles() uint64 { return 0 }
