package app

import (
	"os"
	"runtime"
	"sync"
)

// spareThreads is how many threads run Go code beyond one for each processor.
const spareThreads = 2

// processors is the number of processors that the process may use.
//
// Its first call raises GOMAXPROCS above that number, unless the environment sets it: Go
// looks for readable connections mainly in threads that have nothing else to do, so when
// every thread computes, a request that would take a millisecond waits for tens of them.
// With spare threads the operating system divides the processors among more threads than
// compute.
var processors = sync.OnceValue(func() int {
	n := runtime.GOMAXPROCS(0)
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(n + spareThreads)
	}
	return n
})
