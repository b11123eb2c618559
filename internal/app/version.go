package app

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"strings"
)

// version is the release that this program was built as, which the linker sets:
// -ldflags "-X expenseflow/internal/app.version=0.1.0". Builds without it report what Go recorded of the module.
var version string

// Version returns the release, such as "0.1.0"; of a build that names none the version that Go gives the module, which is
// "(devel)" or made of the revision.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(version, "unknown")
	}
	return cmp.Or(version, info.Main.Version, "unknown")
}

// describeBuild names the release, the revision that it was built from, and the compiler.
func describeBuild() string {
	words := []string{"expenseflow", Version()}
	if of := revision(); of != "unknown" {
		words = append(words, "revision="+of)
	}
	return strings.Join(append(words, runtime.Version()), " ")
}

// revision names the revision that the program was built from, as far as Go recorded it: with
// "-modified" behind it if that was changed, and "unknown" if it did not.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	of, modified := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			of = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "-modified"
		}
	}
	return of + modified
}
