package models

import "time"

// A LogState is the extent of a user's change log.
type LogState struct {
	Epoch string // names a history of the database; a restored backup begins another
	// The log holds the changes Start+1 to Head; older ones were pruned.
	Start, Head int64
	// SyncedAt is the newest LastSyncedAt that was committed for this user, but not
	// before the epoch began. Later changes have a later one.
	SyncedAt time.Time

	EpochStart time.Time // the last millisecond before the epoch; 1970-01-01 if unknown
	ReadAt     time.Time // when this was read
}

// Covers reports whether a client may resume from a time. A time before the epoch began
// belongs to a log that may have held other changes, and a future time lies beyond the
// head.
func (l *LogState) Covers(at time.Time) bool {
	return !at.Before(l.EpochStart) && (!at.After(l.ReadAt) || !at.After(l.SyncedAt))
}

// A Cursor is a client's position in its user's log: a sequence or a time.
type Cursor struct {
	// Epoch and UserID are those of an offset that this server issued. Both are "" for
	// a plain sequence number, which is taken as one of this log.
	Epoch, UserID string
	Seq           int64
	At            time.Time // used instead of Seq unless zero
}

// A LogPage is a page of a user's log: the changes after Since, in order and without
// gaps.
type LogPage struct {
	LogState
	// NeedsSnapshot reports that the log does not reach back to the client's position, so the
	// client has to read all expenses. Changes is empty then.
	NeedsSnapshot bool
	Since         int64
	Changes       []Change
}

// Next returns the sequence after which the next page begins.
func (p *LogPage) Next() int64 {
	if n := len(p.Changes); n > 0 {
		return p.Changes[n-1].Seq
	}
	return p.Since
}

// More reports whether there are changes after the page.
func (p *LogPage) More() bool { return p.Next() < p.Head }
