// Package seededbug tells patched copies of the program's files which bug is to be
// there (package overlay), and remembers what some of the bugs need.
//
// At most one is there: the one that the environment variable SEEDED_BUG names when
// the process starts. So one build serves for all of them.
package seededbug

import "os"

var seeded = os.Getenv("SEEDED_BUG")

// Enabled reports whether the bug of this name is there.
func Enabled(name string) bool { return name == seeded }
