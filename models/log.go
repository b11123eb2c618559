package models

import "time"

// A LogState says where a user's log stands.
type LogState struct {
	Epoch string // names this life of the database
	// The log holds the changes Start+1 to Head; older ones were pruned.
	Start, Head int64
	// SyncedAt is the newest moment that was committed for this user, but not before
	// the epoch began; whatever is stored later is of a later one.
	SyncedAt time.Time

	Began  time.Time // the last moment before the epoch; the zero-most one of 1970 if that is not known
	ReadAt time.Time // when this was read
}

// Dates tells whether a moment is one of this epoch, so that a client may go on from it.
// One from before the epoch began is of a log that may have held other changes, as an
// offset of another epoch is, and one to come is beyond the head.
func (l *LogState) Dates(at time.Time) bool {
	return !at.Before(l.Began) && (!at.After(l.ReadAt) || !at.After(l.SyncedAt))
}

// A Cursor is the place up to which a client says that it knows its user's log:
// a position, or a moment.
type Cursor struct {
	// Epoch and UserID tell whose position Seq is, in an offset that this server
	// gave; both are "" for a bare number, which must be of this log.
	Epoch, UserID string
	Seq           int64
	At            time.Time // instead of Seq, if it is not zero
}

// A LogPage is a run of a user's log: the changes after Since, in order and
// without a gap.
type LogPage struct {
	LogState
	// Whole says that the log cannot tell what the client missed, so that it
	// needs all of its user's expenses anew. Then there are no changes here.
	Whole   bool
	Since   int64
	Changes []Change
}

// Next is the position after the page.
func (p *LogPage) Next() int64 {
	if n := len(p.Changes); n > 0 {
		return p.Changes[n-1].Seq
	}
	return p.Since
}

// More tells whether the log goes on after the page.
func (p *LogPage) More() bool { return p.Next() < p.Head }
