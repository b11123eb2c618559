// Package seededbug puts bugs into the program on purpose, so that it can be shown
// that the checks find them (docs/reliability.md).
//
// What it promises:
//
//   - Without the build tag seededbugs, Enabled is the constant false: the compiler
//     drops what stands behind it, and the program that users run has none of it.
//   - With it, the bug that SEEDED_BUG names is there, and no other. So one build
//     serves for all of them. A name that is none ends the program.
//
// Each is one of the mistakes that such servers are made with, at the one place
// where this one would make it. internal/e2e/seededbugs shows what catches which.
package seededbug

// A Bug is one of them.
type Bug string

// The bugs.
const (
	// GlobalCursor: the tail keeps one position for the logs of all users.
	GlobalCursor Bug = "global-cursor"

	// EmitBeforeCommit: events are made of what a transaction says it will do, and
	// stay when it is rolled back.
	EmitBeforeCommit Bug = "emit-before-commit"

	// NoDedupe: an operation that arrives again is not known.
	NoDedupe Bug = "no-dedupe"

	// AckBeforeCommit: a batch is answered whether or not it could be committed.
	AckBeforeCommit Bug = "ack-before-commit"

	// NoGapCheck: the tail steps over a hole in the log.
	NoGapCheck Bug = "no-gap-check"

	// DroppedTombstone: a deletion is not written into the log.
	DroppedTombstone Bug = "dropped-tombstone"

	// ZeroValueUpdate: a field that is cleared is taken for one that is not named.
	ZeroValueUpdate Bug = "zero-value-update"

	// ClientClock: of two edits the one with the later time of its device wins.
	ClientClock Bug = "client-clock"

	// NoRecoveryAuth: whoever was let in once comes back without a look at the
	// token.
	NoRecoveryAuth Bug = "no-recovery-auth"

	// UnboundedQueue: events are queued for a socket however many wait for it.
	UnboundedQueue Bug = "unbounded-queue"

	// UnauthorisedJoin: a socket is put into the room of another user.
	UnauthorisedJoin Bug = "unauthorised-join"

	// RelayTrusted: an event says what the process remembers of the request that it
	// was woken for, not what the log says. There is no relay between processes but
	// hints without data; this is what one that carried data would do.
	RelayTrusted Bug = "relay-trusted"
)

// Bugs that a reviewer added who had not seen the checks.
const (
	// KeptClaim: a post whose answer was lost is found and not used up, so that a
	// second purchase like it is taken for the first.
	KeptClaim Bug = "kept-claim"

	// HalfUndo: a savepoint's undo takes back all but the user's sequence, so that
	// an operation that failed leaves a hole in the log.
	HalfUndo Bug = "half-undo"

	// LostResume: a subscriber that has room again before the tail has noted that
	// it was full is never served again.
	LostResume Bug = "lost-resume"
)

// Bugs are all of them.
var Bugs = []Bug{
	GlobalCursor, EmitBeforeCommit, NoDedupe, AckBeforeCommit, NoGapCheck, DroppedTombstone,
	ZeroValueUpdate, ClientClock, NoRecoveryAuth, UnboundedQueue, UnauthorisedJoin, RelayTrusted,
	KeptClaim, HalfUndo, LostResume,
}
