//go:build race

package main

// raceEnabled tells that this test, and so the server it builds, has the race
// detector.
const raceEnabled = true
