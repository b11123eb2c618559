package testneed

import "flag"

// checksWithRace is how many random cases of a property are tried with the race detector,
// which makes each take five times as long. Without it there are rapid's hundred.
const checksWithRace = "20"

// FewerChecksWithRace is for TestMain, before the flags are parsed, of packages whose
// properties are about a database: -rapid.checks on the command line overrules it.
func FewerChecksWithRace() {
	if Race && flag.Lookup("rapid.checks") != nil {
		_ = flag.Set("rapid.checks", checksWithRace) // a number is valid
	}
}

// Fewer returns a quarter of n with the race detector, and n without it.
func Fewer(n int) int {
	if Race {
		return n / 4
	}
	return n
}
