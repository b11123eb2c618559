//go:build seededbugs

package seededbug

import (
	"fmt"
	"os"
	"slices"
)

// Built tells whether there are any bugs in the program.
const Built = true

var seeded = mustParse(os.Getenv("SEEDED_BUG"))

func mustParse(name string) Bug {
	if name != "" && !slices.Contains(Bugs, Bug(name)) {
		panic(fmt.Sprintf("SEEDED_BUG=%s names none of %v", name, Bugs))
	}
	return Bug(name)
}

// Enabled tells whether b is there.
func Enabled(b Bug) bool { return b == seeded }
