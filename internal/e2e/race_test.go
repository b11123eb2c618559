//go:build race

package e2e

// raceEnabled tells that this test, and so the program it builds, has the race
// detector.
const raceEnabled = true
