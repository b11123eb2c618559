//go:build !race

package testneed

// Race tells that this test, and the program it builds, has the race detector.
const Race = false
