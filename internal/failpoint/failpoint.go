// Package failpoint ends the process at a named place of the code, as kill -9
// does, so that a test can ask what is left when it dies exactly there
// (docs/reliability.md).
//
// What it promises:
//
//   - Without the build tag failpoints every call is empty and inlined away: the
//     program that users run has no such places.
//   - With it, and with FAILPOINT=name or FAILPOINT=name@n in the environment, the
//     process kills itself the n-th time (the first if n is absent) that this place
//     is reached, after a line on standard error that says so. No deferred
//     function, no flush and no goodbye follow.
//   - With the tag and without FAILPOINT, or with another place's name, nothing
//     happens.
//
// internal/e2e kills the program at each of them (TestKilledAtANamedPoint).
package failpoint

import "fmt"

// A Point is a place at which the process may die.
type Point string

// The places, in the order in which a change meets them on its way from a
// request to a device.
const (
	// AfterBegin is in a transaction that holds its user's row lock and has done
	// nothing else yet.
	AfterBegin Point = "after-begin"

	// AfterDedupe is behind the look-up of an idempotency key, whether it was
	// found or not, and before anything is written.
	AfterDedupe Point = "after-dedupe"

	// BeforeCommit is between the last statement of a transaction and its COMMIT.
	BeforeCommit Point = "before-commit"

	// BeforeWake is behind the COMMIT, before the tail is woken: nobody has been
	// told yet, neither the devices nor whoever asked.
	BeforeWake Point = "before-wake"

	// AfterWake is where the tail has been woken for a user and has read nothing
	// yet.
	AfterWake Point = "after-wake"

	// BeforeEmit is between the tail's read of the log and the first socket that
	// gets what was read. The log is the only relay between processes, so this is
	// "between relay read and emit" too.
	BeforeEmit Point = "before-emit"

	// MidWrite is in the middle of bytes for a client, of whatever kind: half of
	// what was to be written to a WebSocket or into a polling answer has gone out.
	MidWrite Point = "mid-write"

	// AfterAnswer is behind the answer to a request that changed something: the
	// kernel has all of it.
	AfterAnswer Point = "after-answer"

	// InSnapshot is between two expenses of an answer that gives everything
	// (GET /api/sync/changes where the log cannot tell).
	InSnapshot Point = "in-snapshot"

	// InCatchUp is between two changes that a client missed and gets after it came
	// back (connection state recovery).
	InCatchUp Point = "in-catch-up"
)

// LastWords is the line on standard error with which a process dies at p when it
// is there for the nth time.
func LastWords(p Point, nth int64) string { return fmt.Sprintf("failpoint: dying at %s@%d", p, nth) }

// Points are all of them.
var Points = []Point{
	AfterBegin, AfterDedupe, BeforeCommit, BeforeWake, AfterWake,
	BeforeEmit, MidWrite, AfterAnswer, InSnapshot, InCatchUp,
}
